package diff_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// checkouts are requests of one endpoint: each orders, a share pays, and a share
// are of a kind of their own that looks at the catalog instead of ordering.
func checkouts(seed uint64, count int, pays, browses float64, start time.Time) (traces []trace.Trace) {
	random := rand.New(rand.NewPCG(seed, 1))
	for i := range count {
		t := trace.Trace{ID: trace.TraceID{0: byte(seed), 14: byte(i >> 8), 15: byte(i)}}
		at := start.Add(time.Duration(i) * 100 * time.Millisecond).UnixNano()
		add := func(id, parent byte, service, name string, from, took float64) {
			spread := 0.8 + 0.4*random.Float64()
			t.Spans = append(t.Spans, trace.Span{ID: trace.SpanID{7: id}, ParentID: trace.SpanID{7: parent}, Kind: trace.Server, Service: service, Name: name,
				Start: at + int64(from*1e6), Duration: int64(took * spread * 1e6)})
		}
		add(1, 0, "web", "/*", 0, 100)
		if random.Float64() < browses {
			add(2, 1, "catalog", "list", 5, 20)
		} else {
			add(3, 1, "orders", "create", 5, 20)
			if random.Float64() < pays {
				add(4, 1, "payment", "charge", 40, 2)
			}
		}
		traces = append(traces, t)
	}
	return traces
}

// TestVanishingCallsAreNoNoChange: a call whose presence moves is a change,
// whatever it costs; a shift of traffic between kinds of requests is none.
func TestVanishingCallsAreNoNoChange(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		before, now       float64 // share that pays
		browsed, browsing float64
		want              diff.Verdict
	}{
		"from all to half":           {1, 0.55, 0, 0, diff.Changed},
		"from some to few":           {0.3, 0.05, 0, 0, diff.Changed},
		"from few to more":           {0.05, 0.4, 0, 0, diff.Changed},
		"among several kinds":        {1, 0.55, 0.3, 0.3, diff.Changed},
		"as before":                  {0.5, 0.5, 0, 0, diff.NoChange},
		"by a shift of traffic only": {1, 1, 0.2, 0.7, diff.Insufficient},
	} {
		t.Run(name, func(t *testing.T) {
			before, now := checkouts(1, 1000, c.before, c.browsed, noon), checkouts(2, 1000, c.now, c.browsing, noon.Add(time.Hour))
			r := diff.Compare(before, now, diff.Options{})
			require.Equal(t, c.want, r.Verdict, r.Reason)
			if c.want == diff.Changed {
				require.Equal(t, diff.Calls, r.Suspects[0].Kind)
				require.Contains(t, r.Suspects[0].Path, "payment")
			}
		})
	}
	// Where both sides are of the same time, a load balancer gave both the same
	// mixture: any move is a change.
	before, now := checkouts(1, 1000, 1, 0.2, noon), checkouts(2, 1000, 1, 0.7, noon)
	require.Contains(t, []diff.Verdict{diff.Changed, diff.Regressed}, diff.Compare(before, now, diff.Options{}).Verdict)
}
