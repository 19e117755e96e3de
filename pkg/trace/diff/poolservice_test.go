package diff_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// manyOperations are requests of a service with many operations, evenly used,
// each with a duration of its own; slower is the factor of all.
func manyOperations(seed uint64, operations, count int, slower float64) (traces []trace.Trace) {
	random := rand.New(rand.NewPCG(seed, 3))
	start := time.Date(2026, 3, 2, 12, 0, int(seed)*600, 0, time.UTC).UnixNano()
	for i := range count {
		at, number := start+int64(i)*250_000_000, random.IntN(operations)
		t := trace.Trace{}
		binary.BigEndian.PutUint64(t.ID[:8], seed)
		binary.BigEndian.PutUint64(t.ID[8:], uint64(i))
		took := float64(10+number%7*20) * (0.7 + 0.6*random.Float64()) * slower
		t.Spans = []trace.Span{
			{ID: trace.SpanID{7: 1}, Kind: trace.Server, Service: "shop", Name: fmt.Sprintf("Method%c%cCall", 'A'+number/26, 'a'+number%26), Start: at, Duration: int64(took * 1e6)},
			{ID: trace.SpanID{7: 2}, ParentID: trace.SpanID{7: 1}, Kind: trace.Client, Service: "shop", Name: "lookup", Start: at + 1e6, Duration: int64(took * 0.3 * 1e6)},
		}
		traces = append(traces, t)
	}
	return traces
}

// TestManyOperationsAreJudgedTogether: each has too few requests of its own.
func TestManyOperationsAreJudgedTogether(t *testing.T) {
	for _, c := range []struct{ operations, traces int }{{300, 1600}, {100, 400}} {
		for seed := range uint64(5) {
			before := manyOperations(2*seed+1, c.operations, c.traces, 1)
			slow := diff.Compare(before, manyOperations(2*seed+2, c.operations, c.traces, 3), diff.Options{})
			require.Equal(t, diff.Regressed, slow.Verdict, slow.Reason)
			same := diff.Compare(before, manyOperations(2*seed+2, c.operations, c.traces, 1), diff.Options{})
			require.Equal(t, diff.NoChange, same.Verdict, same.Reason)
			require.Contains(t, same.Reason, "operations together")
		}
	}
}

// spread are requests of one endpoint, a few of which reach the service stock,
// each over another way; way is how long that takes beyond the work there.
func spread(seed uint64, count int, way float64) (traces []trace.Trace) {
	random := rand.New(rand.NewPCG(seed, 5))
	start := time.Date(2026, 3, 2, 12, 0, int(seed)*600, 0, time.UTC).UnixNano()
	for i := range count {
		at := start + int64(i)*200_000_000
		t := trace.Trace{}
		binary.BigEndian.PutUint64(t.ID[:8], seed)
		binary.BigEndian.PutUint64(t.ID[8:], uint64(i))
		took := func(milliseconds float64) float64 { return milliseconds * (0.9 + 0.2*random.Float64()) }
		add := func(id, parent byte, kind trace.Kind, service, name string, from, took float64) {
			t.Spans = append(t.Spans, trace.Span{ID: trace.SpanID{7: id}, ParentID: trace.SpanID{7: parent}, Kind: kind, Service: service, Name: name,
				Start: at + int64(from*1e6), Duration: int64(took * 1e6)})
		}
		inside := 0.0
		if i%10 == 0 {
			work, gap := took(5), took(way)
			add(3, 2, trace.Client, "web", "call", 12, work+gap)
			add(4, 3, trace.Server, "stock", fmt.Sprintf("answer%c", 'A'+i/10%5), 12+gap/2, work)
			inside = work + gap
		}
		page := took(40) + inside
		add(2, 1, trace.Internal, "web", fmt.Sprintf("page%c", 'A'+i/10%5), 10, page)
		add(1, 0, trace.Server, "web", "/*", 0, page+took(40))
		traces = append(traces, t)
	}
	return traces
}

// TestAServiceSpreadOverManyPathsIsFound: each path has two calls.
func TestAServiceSpreadOverManyPathsIsFound(t *testing.T) {
	found := 0
	for seed := range uint64(20) {
		before := spread(2*seed+1, 400, 4)
		slow := diff.Compare(before, spread(2*seed+2, 100, 2000), diff.Options{})
		if slow.Verdict == diff.Regressed {
			found++
			require.Equal(t, "stock", slow.Suspects[0].Service)
			require.Equal(t, diff.Gap, slow.Suspects[0].Kind)
		}
		same := diff.Compare(before, spread(2*seed+2, 100, 4), diff.Options{})
		require.NotEqual(t, diff.Regressed, same.Verdict, same.Reason)
	}
	require.GreaterOrEqual(t, found, 14)
}

// TestCallsAreNewOverManyOperations: no endpoint has enough requests to call it
// new.
func TestCallsAreNewOverManyOperations(t *testing.T) {
	before := manyOperations(1, 300, 1600, 1)
	now := manyOperations(2, 300, 1600, 1)
	for i := range now {
		now[i].Spans = append(now[i].Spans, trace.Span{ID: trace.SpanID{7: 3}, ParentID: trace.SpanID{7: 1}, Kind: trace.Client, Service: "shop", Name: "audit", Start: now[i].Spans[0].Start, Duration: 1000})
	}
	came := diff.Compare(before, now, diff.Options{})
	require.Equal(t, diff.Changed, came.Verdict, came.Reason)
	require.Equal(t, diff.New, came.Suspects[0].Kind)
	went := diff.Compare(now, before, diff.Options{})
	require.Equal(t, diff.Changed, went.Verdict, went.Reason)
	require.Equal(t, diff.Gone, went.Suspects[0].Kind)
}
