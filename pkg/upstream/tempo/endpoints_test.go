package tempo

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// named is a request of a kind.
func named(n int, at time.Time, name string) trace.Trace {
	one := request(n, at, 0)
	one.Spans[0].Name = name
	return one
}

func kindsOf(traces []trace.Trace) map[string]int {
	counts := map[string]int{}
	for i := range traces {
		counts[endpointOf(&traces[i]).name]++
	}
	return counts
}

// TestRareRequestsAreLookedFor checks that a busy kind of request does not
// crowd out the others, and that nothing is asked twice where all fits.
func TestRareRequestsAreLookedFor(t *testing.T) {
	f := &fake{}
	for i := range 2000 {
		name := "GET /"
		switch {
		case i%40 == 7:
			name = "POST /orders"
		case i%250 == 3:
			name = "GET /report"
		}
		f.traces = append(f.traces, named(i, noon.Add(-time.Duration(i)*time.Second-time.Millisecond), name))
	}
	filter := lastMinutes(60, 200)
	proportional := search(t, f, filter)
	require.Less(t, kindsOf(proportional.Traces)["POST /orders"], 12)
	require.Len(t, proportional.Queries, 1)

	filter.PerEndpoint = 20
	set := search(t, f, filter)
	require.InDelta(t, 200, len(set.Traces), 5)
	require.True(t, set.Truncated)
	counts := kindsOf(set.Traces)
	require.Equal(t, 20, counts["POST /orders"])
	require.GreaterOrEqual(t, counts["GET /report"], 7, "nearly all of the eight there are")
	require.LessOrEqual(t, kindsOf(proportional.Traces)["GET /report"], 2)
	require.Len(t, set.Queries, 2)
	require.Contains(t, set.Queries[1], `(trace:rootService != "web" || trace:rootName != "GET /")`)
	seen, quarters := map[trace.TraceID]bool{}, map[time.Duration]int{}
	for i := range set.Traces {
		require.False(t, seen[set.Traces[i].ID])
		seen[set.Traces[i].ID] = true
		quarters[noon.Sub(set.Traces[i].Start())/(15*time.Minute)]++
	}
	for quarter := range time.Duration(3) { // the traces lie in 34 minutes
		require.Greater(t, quarters[quarter], 50, "still spread over time: %v", quarters)
	}

	filter.Limit = 3000
	f.searches = nil
	require.Len(t, search(t, f, filter).Queries, 1, "all fit")

	filter.Limit = 200
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Query().Get("q"), "trace:rootName") {
			http.Error(w, "unknown intrinsic", http.StatusBadRequest)
			return true
		}
		return false
	}
	set = search(t, f, filter)
	require.InDelta(t, 200, len(set.Traces), 5, "a store that cannot look for them gives what it gave")
	require.Len(t, set.Queries, 1)
}

// TestThin checks that the limit is kept, that the rarest kinds stay whole, and
// that no kind is thinned below another.
func TestThin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s sampled
		sizes, n := rapid.SliceOfN(rapid.IntRange(1, 60), 1, 6).Draw(t, "sizes"), 0
		for kind, size := range sizes {
			for range size {
				n++
				s.traces = append(s.traces, found{Trace: named(n, noon.Add(time.Duration(n)*time.Second), fmt.Sprint("kind ", kind)), start: int64(n)})
			}
		}
		limit := rapid.IntRange(len(sizes), 200).Draw(t, "limit")
		s.thin(limit)
		require.LessOrEqual(t, len(s.traces), limit)
		require.Greater(t, len(s.traces), min(n, limit)-len(sizes))
		kept, least := map[string]int{}, limit
		seen := map[trace.TraceID]bool{}
		for i := range s.traces {
			require.False(t, seen[s.traces[i].ID])
			seen[s.traces[i].ID] = true
			kept[endpointOf(&s.traces[i].Trace).name]++
		}
		for kind, size := range sizes {
			if count := kept[fmt.Sprint("kind ", kind)]; count < size {
				least = min(least, count)
			}
		}
		for _, count := range kept {
			require.LessOrEqual(t, count, least)
		}
	})
}
