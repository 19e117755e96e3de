package diff

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// drawn are durations around 10 ms, ascending; spread is that of the logarithm.
func drawn(random *rand.Rand, count int, factor, spread float64) []float64 {
	values := make([]float64, count)
	for i := range values {
		values[i] = 1e7 * factor * math.Exp(spread*random.NormFloat64())
	}
	slices.Sort(values)
	return values
}

// TestEquivalenceErrsRarely checks that what is slower by the margin is called
// equal in no more than 5 % of the cases, what is equal nearly always with
// enough requests and never with few, and that the number still needed
// suffices.
func TestEquivalenceErrsRarely(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	wrong, right, sufficed, queried, runs := 0, 0, 0, 0, 400
	for range runs {
		before := drawn(random, 200, 1, 0.5)
		wrong += one(equivalenceOf(before, drawn(random, 200, 1.25, 0.5), 1.25, 1e3).shown)
		right += one(equivalenceOf(before, drawn(random, 200, 1, 0.5), 1.25, 1e3).shown)
		few := drawn(random, 20, 1, 0.8)
		if e := equivalenceOf(before, few, 1.25, 1e3); !e.shown {
			queried++
			require.Positive(t, e.needed)
			more := min(e.needed, 2000)
			sufficed += one(equivalenceOf(drawn(random, max(200, 20+more), 1, 0.8), drawn(random, 20+more, 1, 0.8), 1.25, 1e3).shown)
		}
	}
	require.LessOrEqual(t, wrong, runs*7/100)
	require.GreaterOrEqual(t, right, runs*9/10)
	require.Greater(t, queried, runs*8/10, "twenty show nothing")
	require.Greater(t, sufficed, queried*6/10)
	few := drawn(random, 20, 1, 0.8)
	require.True(t, equivalenceOf(few, drawn(random, 20, 1, 0.8), 1.25, 1e8).shown, "a change below the least that counts")
	require.Equal(t, equivalence{}, equivalenceOf(nil, []float64{1}, 1.25, 1e3))
}

// TestNoChangeIsShown checks that few traces without a difference are too few,
// and that enough of them are no change.
func TestNoChangeIsShown(t *testing.T) {
	baseline := tracetest.Shop{Seed: 1, Traces: 300}.Generate()
	candidate := tracetest.Shop{Seed: 2, Traces: 300, Start: deployAt}.Generate()
	few := Compare(baseline[:60], candidate[:40], Options{MinRatio: 1.1})
	enough := Compare(baseline, candidate, Options{})
	require.Equal(t, NoChange, enough.Verdict, enough.Reason)
	require.Zero(t, enough.NeededTraces)
	require.Contains(t, enough.Reason, "shown to be less than 1.25× or")
	require.Equal(t, Insufficient, few.Verdict, few.Reason)
	require.Positive(t, few.NeededTraces)
}
