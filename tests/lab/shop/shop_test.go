package shop

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func TestEqualSeedsGiveEqualTraces(t *testing.T) {
	type fact struct {
		trace      trace.TraceID
		span       trace.SpanID
		name       string
		start, end time.Time
	}
	facts := func(seed uint64) (all []fact) {
		for _, tree := range open(t, seed, Rhythm{seed}, monday).run(20 * time.Second) {
			for _, s := range tree.spans {
				all = append(all, fact{s.SpanContext().TraceID(), s.SpanContext().SpanID(), s.Name(), s.StartTime(), s.EndTime()})
			}
		}
		return all
	}
	require.Equal(t, facts(7), facts(7))
	require.NotEqual(t, facts(7), facts(8))
}

func TestTracesAreWellFormed(t *testing.T) {
	trees := open(t, 1, steady{1}, monday).run(2 * time.Minute)
	require.Greater(t, len(trees), 1500, "15 requests per second")
	roots := map[string]int{}
	for _, tree := range trees {
		roots[tree.root().Name()]++
		size := len(tree.spans)
		require.True(t, size >= 15 && size <= 45, "a trace of %s has %d spans", tree.root().Name(), size)
		for _, s := range tree.spans {
			checkSpan(t, tree, s)
		}
	}
	require.Len(t, roots, len(visits), "every endpoint is visited: %v", roots)
}

func checkSpan(t *testing.T, tree tree, s sdktrace.ReadOnlySpan) {
	t.Helper()
	require.False(t, s.EndTime().Before(s.StartTime()), "%s ends before it starts", s.Name())
	for _, key := range []string{"service.name", "service.version", "service.namespace", "service.instance.id", "deployment.environment.name"} {
		require.NotEmpty(t, text(s, keyOf(key)), "%s has no %s", s.Name(), key)
	}
	if s.SpanKind() == trace.SpanKindClient && text(s, "db.system.name") != "" {
		for _, key := range []string{"db.query.text", "db.operation.name", "server.address"} {
			require.NotEmpty(t, text(s, keyOf(key)), "%s has no %s", s.Name(), key)
		}
		require.Empty(t, tree.children[s.SpanContext().SpanID()], "a database sends no spans")
	}
	if !s.Parent().IsValid() {
		require.Equal(t, Web, text(s, "service.name"))
		require.Equal(t, trace.SpanKindServer, s.SpanKind())
		return
	}
	parent := tree.byID[s.Parent().SpanID()]
	require.NotNil(t, parent, "%s has no parent in its trace", s.Name())
	require.False(t, s.StartTime().Before(parent.StartTime()), "%s starts before its parent", s.Name())

	switch sameService := text(s, "service.name") == text(parent, "service.name"); s.SpanKind() {
	case trace.SpanKindServer:
		require.Equal(t, trace.SpanKindClient, parent.SpanKind(), "a server is called by a client")
		require.False(t, sameService)
	case trace.SpanKindConsumer:
		require.Equal(t, trace.SpanKindProducer, parent.SpanKind())
		require.False(t, sameService)
		return // nobody waits for a consumer
	default:
		require.True(t, sameService, "%s lies below another service", s.Name())
	}
	if !belowConsumer(tree, s) {
		require.False(t, s.EndTime().After(parent.EndTime()), "%s ends after its parent", s.Name())
	}
}

func belowConsumer(tree tree, s sdktrace.ReadOnlySpan) bool {
	for ; s != nil; s = tree.byID[s.Parent().SpanID()] {
		if s.SpanKind() == trace.SpanKindConsumer {
			return true
		}
	}
	return false
}
