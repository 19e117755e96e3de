package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// A sum of noise is looked at after every observation.
func TestAlwaysValidHoldsAtEveryLook(t *testing.T) {
	const runs, looks = 4000, 1000
	random := rand.New(rand.NewPCG(3, 4))
	crossed := map[float64]int{}
	naive := 0
	for range runs {
		sum, smallest, first := 0.0, 1.0, 1.0
		for n := 1; n <= looks; n++ {
			sum += random.NormFloat64()
			if n < 4 {
				continue
			}
			p := math.Erfc(math.Abs(sum) / math.Sqrt(2*float64(n)))
			smallest, first = math.Min(smallest, stats.AlwaysValid(p, float64(n))), math.Min(first, p)
		}
		for _, level := range []float64{0.1, 0.05, 0.01} {
			if smallest <= level {
				crossed[level]++
			}
		}
		if first <= 0.01 {
			naive++
		}
	}
	require.Greater(t, float64(naive)/runs, 0.05, "what is being put right")
	for _, level := range []float64{0.1, 0.05, 0.01} {
		rate := float64(crossed[level]) / runs
		require.LessOrEqual(t, rate, level+2.5*math.Sqrt(level/runs), "level %v", level)
		require.Greater(t, rate, level/10, "level %v: not needlessly careful", level)
	}
}

func TestAlwaysValidBounds(t *testing.T) {
	require.Equal(t, 1.0, stats.AlwaysValid(1, 50))
	require.Equal(t, 1.0, stats.AlwaysValid(0.001, 0))
	require.GreaterOrEqual(t, stats.AlwaysValid(1e-6, 50), 1e-6)
	require.Less(t, stats.AlwaysValid(1e-8, 50), stats.AlwaysValid(1e-6, 50))
	require.Less(t, stats.AlwaysValid(0, 50), 1e-200)
	require.InDelta(t, 20*400/420.0, stats.Information(20, 400), 1e-9)
	require.Zero(t, stats.Information(0, 400))
}
