package diff_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// step is a call of a made-up request: a service's operation that takes so many
// milliseconds by itself, fails with a probability, and calls others. A call
// that is not always made has a share of requests in which it is.
type step struct {
	service, name string
	own           float64
	fails, share  float64
	calls         []step
}

// population draws requests of one call tree; a failing call fails its callers.
func population(seed uint64, count int, root step) []trace.Trace {
	random := rand.New(rand.NewPCG(seed, 7))
	traces := make([]trace.Trace, count)
	for i := range traces {
		traces[i].ID = trace.TraceID{byte(seed), 1}
		binary.BigEndian.PutUint32(traces[i].ID[8:], uint32(i))
		draw(&traces[i], random, root, trace.SpanID{}, int64(i)*1e9)
	}
	return traces
}

func draw(t *trace.Trace, random *rand.Rand, s step, parent trace.SpanID, now int64) (end int64, failed bool) {
	var id trace.SpanID
	binary.BigEndian.PutUint32(id[:], uint32(len(t.Spans)+1))
	index := len(t.Spans)
	t.Spans = append(t.Spans, trace.Span{ID: id, ParentID: parent, Kind: trace.Internal, Service: s.service, Name: s.name, Start: now})
	end = now + int64(s.own*1e6*math.Exp(0.3*random.NormFloat64()))
	failed = random.Float64() < s.fails
	for _, call := range s.calls {
		if call.share > 0 && random.Float64() >= call.share {
			continue
		}
		var below bool
		end, below = draw(t, random, call, id, end)
		failed = failed || below
	}
	t.Spans[index].Duration, t.Spans[index].Failed = end-now, failed
	return end, failed
}

func TestBlameGoesToTheDeepestCause(t *testing.T) {
	tree := func(leaf float64, fails float64) step {
		return step{service: "web", name: "root", own: 2, calls: []step{
			{service: "cart", name: "get", own: 1, calls: []step{
				{service: "stock", name: "check", own: 1, calls: []step{{service: "db", name: "read", own: leaf, fails: fails}}},
			}},
			{service: "pay", name: "charge", own: 5},
		}}
	}
	baseline := population(1, 200, tree(2, 0.001))

	slow := diff.Compare(baseline, population(2, 200, tree(20, 0.001)), diff.Options{})
	require.Equal(t, diff.Regressed, slow.Verdict)
	require.Len(t, slow.Suspects, 1, "callers are victims: %v", slow.Suspects)
	require.Equal(t, "db", slow.Suspects[0].Service)
	require.Greater(t, slow.Suspects[0].Share, 0.95)
	responsible := 0
	for _, path := range slow.Paths {
		if path.Responsible {
			responsible++
		} else if path.Service == "cart" {
			require.NotEmpty(t, path.Findings, "the caller's duration changed too")
		}
	}
	require.Equal(t, 1, responsible)

	failing := diff.Compare(baseline, population(3, 200, tree(2, 0.3)), diff.Options{})
	require.Len(t, failing.Suspects, 1)
	require.Equal(t, "db", failing.Suspects[0].Service)
	require.Equal(t, diff.ErrorRate, failing.Suspects[0].Kind)
	require.InDelta(t, 1, failing.Suspects[0].Share, 1e-9)
}

func TestOwnErrorsOfACallerAreItsOwn(t *testing.T) {
	tree := func(caller, callee float64) step {
		return step{service: "web", name: "root", own: 2, calls: []step{
			{service: "cart", name: "get", own: 1, fails: caller, calls: []step{{service: "db", name: "read", own: 1, fails: callee}}},
		}}
	}
	result := diff.Compare(population(1, 300, tree(0, 0.05)), population(2, 300, tree(0.3, 0.05)), diff.Options{})
	require.Equal(t, diff.Regressed, result.Verdict)
	require.Equal(t, "cart", result.Suspects[0].Service)
}

func TestEarlyReturnIsTheCallersDoing(t *testing.T) {
	tree := func(share float64) step {
		return step{service: "web", name: "root", own: 2, calls: []step{
			{service: "cart", name: "get", own: 1, calls: []step{
				{service: "stock", name: "check", own: 3, share: share}, {service: "price", name: "of", own: 3, share: share},
			}},
		}}
	}
	result := diff.Compare(population(1, 200, tree(1)), population(2, 200, tree(0.1)), diff.Options{})
	require.Equal(t, diff.Changed, result.Verdict, "faster, but who knows whether the calls were needed")
	require.Equal(t, "cart", result.Suspects[0].Service)
	require.Equal(t, diff.Calls, result.Suspects[0].Kind)

	cheap := func(share float64) step {
		return step{service: "web", name: "root", own: 20, calls: []step{{service: "flags", name: "get", own: 0.1, share: share}}}
	}
	result = diff.Compare(population(1, 200, cheap(1)), population(2, 200, cheap(1e-9)), diff.Options{})
	require.Equal(t, diff.Changed, result.Verdict, "a call less, which nobody feels")
	require.Equal(t, diff.Gone, result.Suspects[0].Kind)
	require.Contains(t, result.Reason, "no longer")
}

func TestASlownessThatIsSpreadOutIsTracedToTheCallerOfAll(t *testing.T) {
	tree := func(leaf float64) step {
		calls := make([]step, 8)
		for i := range calls {
			calls[i] = step{service: string(rune('a' + i)), name: "call", own: leaf}
		}
		return step{service: "web", name: "root", own: 2, calls: []step{{service: "cart", name: "get", own: 1, calls: calls}}}
	}
	result := diff.Compare(population(1, 300, tree(4)), population(2, 300, tree(4.8)), diff.Options{MinRatio: 1.15})
	require.Equal(t, diff.Regressed, result.Verdict, result.Reason)
	for _, suspect := range result.Suspects {
		require.NotEqual(t, "web", suspect.Service)
	}
}

// pairs draws requests whose root is itself a client's span merged with its
// server's, with as many entry services as given.
func pairs(seed uint64, gap float64, services ...string) []trace.Trace {
	random := rand.New(rand.NewPCG(seed, 9))
	var traces []trace.Trace
	for i := range 200 {
		t := trace.Trace{ID: trace.TraceID{byte(seed), 2, byte(i)}}
		way := int64(gap * 1e6 * math.Exp(0.3*random.NormFloat64()))
		service := services[i%len(services)]
		t.Spans = []trace.Span{
			{ID: trace.SpanID{1}, Kind: trace.Client, Service: "probe", Name: "GET", Start: int64(i) * 1e9, Duration: 5e6 + way},
			{ID: trace.SpanID{2}, ParentID: trace.SpanID{1}, Kind: trace.Server, Service: service, Name: "handle", Start: int64(i) * 1e9, Duration: 5e6},
		}
		traces = append(traces, t)
	}
	return traces
}

func TestTheWayToTheRootItself(t *testing.T) {
	result := diff.Compare(pairs(1, 1, "web", "shop"), pairs(2, 30, "web", "shop"), diff.Options{})
	require.Equal(t, diff.Regressed, result.Verdict)
	require.Len(t, result.Suspects, 2)
	require.Equal(t, diff.Gap, result.Suspects[0].Kind)
	require.Contains(t, result.Reason, "the way to ")
}
