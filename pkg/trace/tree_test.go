package trace_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// span is a span in short: ids are small numbers, times milliseconds.
type span struct {
	id, parent      int
	kind            trace.Kind
	service, name   string
	start, duration int
	failed          bool
}

func traceOf(spans ...span) *trace.Trace {
	t := &trace.Trace{}
	for _, s := range spans {
		t.Spans = append(t.Spans, trace.Span{
			ID: idOf(s.id), ParentID: idOf(s.parent), Kind: s.kind, Service: s.service, Name: s.name, Failed: s.failed,
			Start: int64(s.start) * 1e6, Duration: int64(s.duration) * 1e6,
		})
	}
	return t
}

func idOf(number int) (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(number))
	return id
}

// nodeNamed is the only node of a span with the name.
func nodeNamed(t *testing.T, tree *trace.Tree, name string) *trace.Node {
	t.Helper()
	var found *trace.Node
	for i := range tree.Nodes {
		if at := &tree.Nodes[i]; at.Span != trace.None && tree.Trace.Spans[at.Span].Name == name {
			require.Nil(t, found, "two nodes named %s", name)
			found = at
		}
	}
	require.NotNil(t, found, "no node named %s", name)
	return found
}

func milliseconds(nanoseconds int64) float64 { return float64(nanoseconds) / 1e6 }

func TestSelfTimeIsWhatNoCallCovers(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, service: "web", name: "root", start: 0, duration: 100},
		span{id: 2, parent: 1, service: "web", name: "a", start: 10, duration: 30},
		span{id: 3, parent: 1, service: "web", name: "b", start: 20, duration: 40},       // overlaps a
		span{id: 4, parent: 1, service: "web", name: "inside", start: 25, duration: 5},   // within both
		span{id: 5, parent: 1, service: "web", name: "over", start: 90, duration: 30},    // goes on after the root: nobody waits for it
		span{id: 6, parent: 2, service: "web", name: "grand", start: 10, duration: 30},   // covers all of a
		span{id: 7, parent: 1, service: "web", name: "after", start: 150, duration: 100}, // nobody waits for it
	), trace.Limits{})
	require.Equal(t, 50.0, milliseconds(tree.Nodes[0].Self)) // 100 − [10,60)
	require.Equal(t, 0.0, milliseconds(nodeNamed(t, tree, "a").Self))
	require.Equal(t, 30.0, milliseconds(nodeNamed(t, tree, "over").Self))
	require.True(t, nodeNamed(t, tree, "after").Apart)
	require.True(t, nodeNamed(t, tree, "over").Apart)
	require.False(t, tree.Incomplete)
	require.Equal(t, trace.Repairs{}, tree.Repairs)
}

func TestClientAndServerBecomeOneCallWithItsGap(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, kind: trace.Client, service: "web", name: "call", start: 10, duration: 50},
		span{id: 3, parent: 2, kind: trace.Server, service: "cart", name: "handle", start: 20, duration: 30},
		span{id: 4, parent: 3, kind: trace.Client, service: "cart", name: "SELECT", start: 25, duration: 10},
		span{id: 5, parent: 1, kind: trace.Client, service: "web", name: "GET cache", start: 70, duration: 5},
		span{id: 6, parent: 1, kind: trace.Client, service: "web", name: "retried", start: 76, duration: 20},
		span{id: 7, parent: 6, kind: trace.Server, service: "pay", name: "try", start: 77, duration: 5, failed: true},
		span{id: 8, parent: 6, kind: trace.Server, service: "pay", name: "again", start: 85, duration: 5},
	), trace.Limits{})
	require.Len(t, tree.Nodes, 7, "one pair is merged; a database's and a retried call have no pair")
	call := nodeNamed(t, tree, "call")
	require.Equal(t, "handle", tree.Trace.Spans[call.Server].Name)
	require.Equal(t, []float64{50, 30, 20, 20}, []float64{
		milliseconds(call.Duration), milliseconds(call.InnerDuration), milliseconds(call.Gap), milliseconds(call.Self)})
	require.Equal(t, trace.None, nodeNamed(t, tree, "retried").Server)
	require.Equal(t, 25.0, milliseconds(tree.Nodes[0].Self)) // 100 − 50 − 5 − 20
}

func TestPairsWithoutKindsAreGuessedFromNames(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, service: "web", name: "Cart/Get", start: 10, duration: 20},
		span{id: 3, parent: 2, service: "cart", name: "Cart/Get", start: 12, duration: 15},
		span{id: 4, parent: 1, service: "web", name: "HTTP GET", start: 40, duration: 20},
		span{id: 5, parent: 4, service: "user", name: "/users/{id}", start: 42, duration: 15},
		span{id: 6, parent: 1, service: "web", name: "controller", start: 70, duration: 20},
		span{id: 7, parent: 6, service: "user", name: "handler", start: 72, duration: 15},
	), trace.Limits{})
	require.Len(t, tree.Nodes, 5)
	require.NotEqual(t, trace.None, nodeNamed(t, tree, "HTTP GET").Server)
	require.Equal(t, trace.None, nodeNamed(t, tree, "controller").Server, "an ordinary span that makes one call is work of its own")
}

func TestSharedSpanIDsOfZipkin(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, kind: trace.Client, service: "web", name: "call", start: 10, duration: 50},
		span{id: 2, parent: 1, kind: trace.Server, service: "cart", name: "handle", start: 20, duration: 30},
		span{id: 4, parent: 2, kind: trace.Client, service: "cart", name: "SELECT", start: 25, duration: 10},
	), trace.Limits{})
	require.Len(t, tree.Nodes, 3)
	require.Zero(t, tree.Repairs.Duplicates)
	require.Equal(t, 20.0, milliseconds(nodeNamed(t, tree, "call").Self))
}

func TestDuplicatesKeepTheFinishedSpan(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, service: "web", name: "partial", start: 10, duration: 1},
		span{id: 2, parent: 1, service: "web", name: "whole", start: 10, duration: 40},
		span{id: 2, parent: 1, service: "web", name: "partial", start: 10, duration: 2},
	), trace.Limits{})
	require.Len(t, tree.Nodes, 2)
	require.Equal(t, 2, tree.Repairs.Duplicates)
	require.Equal(t, "whole", tree.Trace.Spans[tree.Nodes[1].Span].Name)
}

func TestOrphansHangUnderAStandIn(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 77, service: "cart", name: "orphan", start: 10, duration: 40},
		span{id: 3, parent: 78, service: "cart", name: "another", start: 50, duration: 20},
	), trace.Limits{})
	require.Len(t, tree.Nodes, 4)
	require.Equal(t, 2, tree.Repairs.Orphans)
	require.True(t, tree.Incomplete && tree.Fragmented)
	standIn := tree.Nodes[1]
	require.Equal(t, trace.None, standIn.Span)
	require.True(t, standIn.Apart, "nobody knows whether the root waited for them")
	require.Equal(t, 100.0, milliseconds(tree.Nodes[0].Self))
	require.Equal(t, 60.0, milliseconds(standIn.Duration))
}

func TestLoneOrphanIsTheRoot(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, parent: 99, service: "web", name: "root", duration: 100}, // its caller is not instrumented
		span{id: 2, parent: 1, service: "web", name: "child", start: 10, duration: 40},
	), trace.Limits{})
	require.Len(t, tree.Nodes, 2)
	require.True(t, tree.Incomplete)
	require.False(t, tree.Fragmented)
}

func TestRootMissing(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, parent: 99, service: "web", name: "first", duration: 10},
		span{id: 2, parent: 99, service: "web", name: "second", start: 20, duration: 30},
	), trace.Limits{})
	require.Len(t, tree.Nodes, 3)
	require.Equal(t, trace.None, tree.Nodes[0].Span)
	require.Equal(t, 50.0, milliseconds(tree.Nodes[0].Duration))
	require.Equal(t, 10.0, milliseconds(tree.Nodes[0].Self))
}

func TestCyclesAreCutAtTheEarliestSpan(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 4, service: "a", name: "two", start: 10, duration: 40},
		span{id: 3, parent: 2, service: "a", name: "three", start: 11, duration: 30},
		span{id: 4, parent: 3, service: "a", name: "four", start: 12, duration: 20},
		span{id: 5, parent: 4, service: "a", name: "below", start: 13, duration: 5},
		span{id: 6, parent: 6, service: "b", name: "own parent", start: 5, duration: 5},
	), trace.Limits{})
	require.Equal(t, 2, tree.Repairs.Cycles)
	require.True(t, tree.Incomplete)
	require.Len(t, tree.Nodes, 7)
	require.Equal(t, int32(2), nodeNamed(t, tree, "two").Depth)
	require.Equal(t, int32(5), nodeNamed(t, tree, "below").Depth)
}

func TestClockSkewIsRepairedWithinTheCall(t *testing.T) {
	const skew = 180_000 // three minutes
	tree := build(traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, kind: trace.Client, service: "web", name: "call", start: 10, duration: 50},
		span{id: 3, parent: 2, kind: trace.Server, service: "cart", name: "handle", start: skew + 20, duration: 30},
		span{id: 4, parent: 3, kind: trace.Client, service: "cart", name: "call stock", start: skew + 25, duration: 10},
		span{id: 5, parent: 4, kind: trace.Server, service: "stock", name: "stock", start: 27, duration: 6}, // this clock is right
	), trace.Limits{})
	require.Equal(t, 1, tree.Repairs.Skewed)
	call, stock := nodeNamed(t, tree, "call"), nodeNamed(t, tree, "call stock")
	require.Equal(t, []float64{20, 20}, []float64{milliseconds(call.Gap), milliseconds(call.Self)})
	require.False(t, stock.Apart)
	require.Equal(t, 4.0, milliseconds(stock.Gap))
	require.Equal(t, 50.0, milliseconds(tree.Nodes[0].Self))
	sum := int64(0)
	for _, section := range criticalPath(tree) {
		sum += section.End - section.Start
	}
	require.Equal(t, tree.Nodes[0].Duration, sum)
}

func TestSkewedSistersKeepTheirOrder(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, kind: trace.Server, service: "cart", name: "first", start: 1010, duration: 30},
		span{id: 3, parent: 1, kind: trace.Server, service: "cart", name: "second", start: 1050, duration: 20},
	), trace.Limits{})
	first, second := nodeNamed(t, tree, "first"), nodeNamed(t, tree, "second")
	require.Equal(t, 40.0, milliseconds(second.Start-first.Start), "one clock, one shift")
	require.Equal(t, 50.0, milliseconds(tree.Nodes[0].Self))
}

func TestMessagesRunApart(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, kind: trace.Producer, service: "web", name: "send", start: 10, duration: 5},
		span{id: 3, parent: 2, kind: trace.Consumer, service: "mailer", name: "process", start: 12, duration: 500},
		span{id: 4, parent: 3, kind: trace.Internal, service: "mailer", name: "render", start: 13, duration: 400, failed: true},
	), trace.Limits{})
	require.False(t, nodeNamed(t, tree, "send").Apart)
	require.True(t, nodeNamed(t, tree, "process").Apart)
	require.True(t, nodeNamed(t, tree, "render").Apart)
	require.Equal(t, 100.0, milliseconds(nodeNamed(t, tree, "process").Self))
	for _, section := range criticalPath(tree) {
		require.False(t, tree.Nodes[section.Node].Apart)
	}
}

func TestFailuresHaveTheirOriginBelow(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "root", duration: 100, failed: true},
		span{id: 2, parent: 1, kind: trace.Client, service: "web", name: "call", start: 10, duration: 50, failed: true},
		span{id: 3, parent: 2, kind: trace.Server, service: "cart", name: "handle", start: 20, duration: 30},
		span{id: 4, parent: 3, kind: trace.Client, service: "cart", name: "SELECT", start: 25, duration: 10, failed: true},
		span{id: 5, parent: 1, kind: trace.Client, service: "web", name: "lonely", start: 70, duration: 5, failed: true},
	), trace.Limits{})
	origins := map[string]bool{}
	for _, node := range tree.Nodes {
		if node.Origin {
			origins[tree.Trace.Spans[node.Span].Name] = true
		}
	}
	require.Equal(t, map[string]bool{"SELECT": true, "lonely": true}, origins)
}

func TestNonsenseTimes(t *testing.T) {
	tree := build(&trace.Trace{Spans: []trace.Span{
		{ID: idOf(1), Service: "web", Name: "root", Start: math.MinInt64, Duration: math.MaxInt64},
		{ID: idOf(2), ParentID: idOf(1), Service: "cart", Kind: trace.Server, Name: "negative", Start: math.MaxInt64, Duration: math.MinInt64},
		{ID: idOf(3), ParentID: idOf(1), Service: "web", Name: "zero", Start: 0},
		{ID: idOf(4), ParentID: idOf(2), Service: "web", Name: "future", Start: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano(), Duration: 5},
	}}, trace.Limits{})
	require.Equal(t, 1, tree.Repairs.NegativeDurations)
	requireSound(t, tree)
}

func TestRelaysWithoutKindsAreNoClients(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, service: "nginx", name: "compose", duration: 100},
		span{id: 2, parent: 1, service: "text", name: "Upload", start: 10, duration: 44},
		span{id: 3, parent: 2, service: "compose", name: "Upload", start: 20, duration: 33},
	), trace.Limits{})
	require.Len(t, tree.Nodes, 3)
	require.Equal(t, 11.0, milliseconds(tree.Nodes[1].Self))
}

func TestServicesMayCallThemselves(t *testing.T) {
	for name, id := range map[string]int{"ids of their own": 3, "a shared id": 2} {
		parent := 2
		if id == 2 {
			parent = 1
		}
		tree := build(traceOf(
			span{id: 1, kind: trace.Server, service: "loki", name: "query", duration: 100},
			span{id: 2, parent: 1, kind: trace.Client, service: "loki", name: "call", start: 10, duration: 70},
			span{id: id, parent: parent, kind: trace.Server, service: "loki", name: "answer", start: 20, duration: 50},
			span{id: 9, parent: id, kind: trace.Client, service: "loki", name: "store", start: 30, duration: 10},
		), trace.Limits{})
		require.Len(t, tree.Nodes, 3, name)
		require.Equal(t, 20.0, milliseconds(tree.Nodes[1].Gap), name)
		require.Equal(t, 40.0, milliseconds(tree.Nodes[1].Self), name)
	}
}

func TestOneMessageManyReceivers(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, kind: trace.Server, service: "bouncer", name: "post", duration: 100},
		span{id: 2, parent: 1, kind: trace.Client, service: "bouncer", name: "send", start: 1, duration: 2},
		span{id: 2, parent: 1, kind: trace.Server, service: "pusher", name: "first", start: 3, duration: 5},
		span{id: 2, parent: 1, kind: trace.Server, service: "pusher", name: "second", start: 4, duration: 5},
		span{id: 2, parent: 1, kind: trace.Server, service: "pusher", name: "second", start: 4, duration: 1}, // stored before it ended
		span{id: 2, parent: 1, kind: trace.Server, service: "mailer", name: "third", start: 4, duration: 9},
		span{id: 5, parent: 2, kind: trace.Internal, service: "mailer", name: "render", start: 5, duration: 3},
	), trace.Limits{})
	require.Equal(t, 1, tree.Repairs.Duplicates)
	require.Len(t, tree.Nodes, 6)
	for _, name := range []string{"first", "second", "third"} {
		require.True(t, nodeNamed(t, tree, name).Apart, name)
	}
	require.Equal(t, 6.0, milliseconds(nodeNamed(t, tree, "third").Self), "its own call is below it")
}

func TestWhatFollowsIsNotWaitedFor(t *testing.T) {
	trees := traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "order", duration: 100},
		span{id: 2, parent: 1, service: "web", name: "mail", start: 10, duration: 85},
	)
	trees.Spans[1].Follows = true
	tree := build(trees, trace.Limits{})
	require.Equal(t, 100.0, milliseconds(tree.Nodes[0].Self))
	require.Len(t, criticalPath(tree), 1)
}

func TestLinksWithinATraceJoinIt(t *testing.T) {
	joined := traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "order", duration: 100},
		span{id: 2, parent: 1, kind: trace.Producer, service: "web", name: "send", start: 10, duration: 1},
		span{id: 3, kind: trace.Consumer, service: "batch", name: "process", start: 150, duration: 50},
	)
	joined.ID = trace.TraceID{1}
	joined.Spans[2].Links = []trace.Link{{Trace: trace.TraceID{7}, Span: idOf(1)}, {Trace: joined.ID, Span: idOf(2)}}
	tree := build(joined, trace.Limits{})
	require.False(t, tree.Fragmented)
	require.Equal(t, int32(1), nodeNamed(t, tree, "process").Parent)
	require.True(t, nodeNamed(t, tree, "process").Apart)
}

// TestOverrunsAreNoSkew checks that a server which outlives its caller is
// shifted only where the caller waited for it.
func TestOverrunsAreNoSkew(t *testing.T) {
	for name, c := range map[string]struct {
		kind   trace.Kind
		failed bool
		moved  int
		apart  bool
	}{
		"a client waited":      {trace.Client, false, 1, false},
		"a client gave up":     {trace.Client, true, 0, false},
		"no client's span":     {trace.Internal, false, 0, true},
		"nothing known at all": {trace.Unspecified, false, 0, false},
	} {
		kind := trace.Server
		if c.kind == trace.Unspecified {
			kind = trace.Unspecified
		}
		tree := build(traceOf(
			span{id: 1, kind: trace.Server, service: "web", name: "root", duration: 200},
			span{id: 2, parent: 1, kind: c.kind, service: "web", name: "call", start: 10, duration: 100, failed: c.failed},
			span{id: 3, parent: 2, kind: kind, service: "cart", name: "answer", start: 70, duration: 60},
		), trace.Limits{})
		require.Equal(t, c.moved, tree.Repairs.Skewed, name)
		require.Equal(t, c.apart, tree.Nodes[len(tree.Nodes)-1].Apart, name)
	}
}

func TestSkewWithoutKinds(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, service: "cart", name: "answer", start: -5000, duration: 30},
	), trace.Limits{})
	require.Equal(t, 1, tree.Repairs.Skewed)
	require.Equal(t, 70.0, milliseconds(tree.Nodes[0].Self))
}
