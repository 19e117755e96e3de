package trace_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// TestOthers: what may explain is kept within bounds; ids of people, intrinsics and
// what describes the operation is not.
func TestOthers(t *testing.T) {
	for key, want := range map[string]bool{
		"app.plan": true, "payment.provider": true, "deployment.environment": true, "k8s.namespace.name": true,
		"": false, "user.id": false, "enduser.id": false, "http.route": false, "db.statement": false, "tenant.id": false,
		"name": false, "status": false, "telemetry.sdk.name": false, "process.pid": false, "exception.stacktrace": false,
		strings.Repeat("x", 500): false,
	} {
		require.Equal(t, want, trace.MayExplain(key), key)
	}
	var s trace.Span
	require.True(t, s.Other("app.plan", "gold"))
	require.False(t, s.Other("app.plan", "silver"), "the first stays")
	require.False(t, s.Other("app.note", strings.Repeat("x", 1000)))
	require.False(t, s.Other("app.empty", ""))
	s.Event("retry")
	s.Event("exception")
	require.Equal(t, "gold", s.Explaining("app.plan"))
	require.Equal(t, "true", s.Explaining(trace.EventPrefix+"retry"))
	for i := range 1000 {
		s.Other(fmt.Sprint("app.attribute", i), "x")
	}
	require.Len(t, s.Others, trace.MaxOthers)
}
