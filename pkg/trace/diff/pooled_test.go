package diff_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// threeEndpoints use one operation of orders, each from elsewhere.
func threeEndpoints(seed uint64, counts [3]int, statement, fails float64) (traces []trace.Trace) {
	for i, count := range counts {
		root := step{service: "web", name: []string{"list", "buy", "show"}[i], own: float64(2 + 10*i), calls: []step{
			{service: "orders", name: "handle", own: 1, calls: []step{{service: "orders", name: "SELECT", own: statement, fails: fails}}},
		}}
		traces = append(traces, population(10*seed+uint64(i), count, root)...)
	}
	return traces
}

func TestEvidenceFromSeveralEndpointsIsPutTogether(t *testing.T) {
	baseline := threeEndpoints(1, [3]int{100, 60, 40}, 4, 0)
	slow := diff.Compare(baseline, threeEndpoints(2, [3]int{9, 8, 8}, 32, 0), diff.Options{})
	require.Equal(t, diff.Regressed, slow.Verdict, slow.Reason)
	require.Equal(t, "SELECT", slow.Suspects[0].Operation)
	require.Equal(t, diff.SelfTime, slow.Suspects[0].Kind)
	require.InEpsilon(t, 8, slow.Suspects[0].Finding.Effect, 0.3)
	require.LessOrEqual(t, slow.Suspects[0].Finding.Lower, 8.0)
	require.GreaterOrEqual(t, slow.Suspects[0].Finding.Upper, 8.0)
	for _, endpoint := range slow.Endpoints {
		require.Equal(t, diff.Regressed, endpoint.Verdict, endpoint.Key)
		sum := 0.0
		for _, path := range slow.Paths {
			if path.Endpoint == endpoint.Key {
				sum += path.CallsEffect + path.PerCallEffect
			}
		}
		require.InDelta(t, endpoint.MeanChange, sum, 1e-3*math.Abs(endpoint.MeanChange))
	}

	failing := diff.Compare(baseline, threeEndpoints(3, [3]int{9, 8, 8}, 4, 0.5), diff.Options{})
	require.Equal(t, diff.Regressed, failing.Verdict, failing.Reason)
	require.Equal(t, "SELECT", failing.Suspects[0].Operation)
	require.Equal(t, diff.ErrorRate, failing.Suspects[0].Kind)

	few := diff.Compare(baseline, threeEndpoints(4, [3]int{7, 6, 6}, 32, 0), diff.Options{})
	require.Equal(t, diff.Insufficient, few.Verdict, "19 are not 20")
}

func TestAnotherMixOfEndpointsIsNoFinding(t *testing.T) {
	for seed := range uint64(40) {
		result := diff.Compare(threeEndpoints(2*seed+1, [3]int{60, 10, 4}, 4, 0.05), threeEndpoints(2*seed+2, [3]int{4, 15, 40}, 4, 0.05), diff.Options{})
		require.Equal(t, diff.Insufficient, result.Verdict, result.Reason)
		require.Empty(t, result.Suspects)
	}
}
