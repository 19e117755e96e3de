package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/stats"
)

func sample(n int, seed uint64, draw func(*rand.Rand) float64) []float64 {
	random := rand.New(rand.NewPCG(seed, 7))
	x := make([]float64, n)
	for i := range x {
		x[i] = draw(random)
	}
	return x
}

func TestTailFollowsKnownDistributions(t *testing.T) {
	for _, c := range []struct {
		name     string
		draw     func(*rand.Rand) float64
		quantile func(p float64) float64
	}{
		{"exponential", (*rand.Rand).ExpFloat64, func(p float64) float64 { return -math.Log(p) }},
		{"Pareto, shape 0.3", func(r *rand.Rand) float64 { return (math.Pow(1-r.Float64(), -0.3) - 1) / 0.3 },
			func(p float64) float64 { return (math.Pow(p, -0.3) - 1) / 0.3 }},
	} {
		tail := stats.FitTail(sample(100_000, 1, c.draw))
		for _, p := range []float64{0.5, 0.1, 0.01, 1e-3, 1e-4} {
			require.InEpsilon(t, c.quantile(p), tail.Quantile(p), 0.1, "%s at %v", c.name, p)
		}
	}
}

func TestTailIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 0, 200).Draw(t, "x")
		tail := stats.FitTail(x)
		if len(x) == 0 {
			return
		}
		low := math.Inf(-1)
		for _, p := range []float64{0.9, 0.5, 0.1, 0.02, 0.01, 1e-3, 1e-6} {
			q := tail.Quantile(p)
			require.GreaterOrEqual(t, q, low)
			low = q
		}
	})
}

func TestConformalCovers(t *testing.T) {
	skewed := func(r *rand.Rand) float64 { return r.ExpFloat64() - 0.3 }
	for _, n := range []int{30, 200, 2000} {
		for _, probability := range []float64{0.8, 0.95} {
			inside, trials := 0, 0
			for seed := range uint64(400) {
				lower, upper := stats.NewConformal(sample(n, seed, skewed)).Bounds(probability)
				for _, e := range sample(100, seed+10_000, skewed) {
					trials++
					if e >= lower && e <= upper {
						inside++
					}
				}
			}
			require.InDelta(t, probability, float64(inside)/float64(trials), 0.03, "n=%d", n)
		}
	}
}

func TestConformalBoundsAreNested(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := stats.NewConformal(rapid.SliceOfN(rapid.Float64Range(-100, 100), 0, 120).Draw(t, "errors"))
		lowBefore, highBefore := math.Inf(1), math.Inf(-1)
		for _, p := range []float64{0.1, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999} {
			low, high := c.Bounds(p)
			require.LessOrEqual(t, low, high)
			if p > 0.1 {
				require.LessOrEqual(t, low, lowBefore)
				require.GreaterOrEqual(t, high, highBefore)
			}
			lowBefore, highBefore = low, high
		}
	})
}

func TestIsotonic(t *testing.T) {
	require.Equal(t, []float64{1, 2.5, 2.5, 4}, stats.Isotonic([]float64{1, 3, 2, 4}))
	require.Equal(t, []float64{2, 2, 2}, stats.Isotonic([]float64{3, 2, 1}))
	require.Empty(t, stats.Isotonic(nil))
}
