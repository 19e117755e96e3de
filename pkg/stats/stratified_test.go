package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/stats"
)

func draw(random *rand.Rand, count int, shift float64) []float64 {
	values := make([]float64, count)
	for i := range values {
		values[i] = shift + random.NormFloat64()
	}
	slices.Sort(values)
	return values
}

func TestVanElterenOfOneStratumIsMannWhitney(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	x, y := draw(random, 300, 0), draw(random, 200, 0.15)
	one, want := stats.VanElteren([]stats.Samples{{X: x, Y: y}, {X: x}}), stats.MannWhitney(x, y)
	require.InDelta(t, want.Superiority, one.Superiority, 1e-12)
	require.InEpsilon(t, want.PValue, one.PValue, 0.01, "but for the correction for continuity")
}

// Two strata of two and two, by hand: U = 4 and 3 of 4, weights 1/5, variances
// 5/3: z = (2+1)/√(10/3).
func TestVanElterenByHand(t *testing.T) {
	test := stats.VanElteren([]stats.Samples{
		{X: []float64{1, 2}, Y: []float64{3, 4}}, {X: []float64{10, 30}, Y: []float64{20, 40}},
	})
	require.InDelta(t, 7.0/8, test.Superiority, 1e-12)
	require.InDelta(t, math.Erfc(3/math.Sqrt(10.0/3)/math.Sqrt2), test.PValue, 1e-12)
}

func TestStrataHideNoShiftAndMakeNone(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	rejected, found := 0, 0
	for range 1000 {
		// The mix differs between the sides; within strata nothing does.
		strata := []stats.Samples{
			{X: draw(random, 40, 0), Y: draw(random, 8, 0)}, {X: draw(random, 8, 5), Y: draw(random, 40, 5)}, {X: draw(random, 9, 9), Y: draw(random, 9, 9)},
		}
		if stats.VanElteren(strata).PValue < 0.05 {
			rejected++
		}
		for i := range strata {
			for j := range strata[i].Y {
				strata[i].Y[j]++
			}
		}
		if stats.VanElteren(strata).PValue < 0.05 {
			found++
		}
	}
	require.InDelta(t, 50, rejected, 25)
	require.Greater(t, found, 900)
	require.Equal(t, stats.RankTest{Superiority: 0.5, PValue: 1}, stats.VanElteren(nil))
}

func TestStratifiedMidP(t *testing.T) {
	pair := func(a, n, b, m int) stats.Pair {
		return stats.Pair{X: stats.Proportion{Successes: a, Trials: n}, Y: stats.Proportion{Successes: b, Trials: m}}
	}
	for _, p := range []stats.Pair{pair(1, 400, 9, 30), pair(0, 10, 0, 10), pair(30, 3000, 20, 200), pair(5, 5, 5, 5), pair(10, 20, 0, 20)} {
		require.InEpsilon(t, stats.FisherMidP(p.X, p.Y), stats.StratifiedMidP([]stats.Pair{p, {}}), 1e-6)
	}
	// Two strata of one success among one and one: the total is 0, 1 or 2 with
	// probabilities ¼, ½, ¼.
	require.InDelta(t, 0.25, stats.StratifiedMidP([]stats.Pair{pair(0, 1, 1, 1), pair(0, 1, 1, 1)}), 1e-12)
	// Simpson: the rates differ between strata, not between the sides.
	require.Greater(t, stats.StratifiedMidP([]stats.Pair{pair(1, 100, 0, 10), pair(5, 10, 50, 100)}), 0.5)
	require.Less(t, stats.StratifiedMidP([]stats.Pair{pair(0, 30, 3, 10), pair(0, 30, 4, 10)}), stats.FisherMidP(stats.Proportion{Trials: 30}, stats.Proportion{Successes: 4, Trials: 10}))
}
