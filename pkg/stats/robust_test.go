package stats_test

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/stats"
)

func TestRobustMeasures(t *testing.T) {
	nan := math.NaN()
	x := []float64{nan, 1, 1, 2, 2, 4, 6, 9, nan}
	require.Equal(t, 2.0, stats.Median(x))
	require.InDelta(t, 1.482602218505602, stats.Spread(x), 1e-15) // R: mad(c(1,1,2,2,4,6,9))
	require.Equal(t, 2.5, stats.Median([]float64{4, 1, 3, 2}))

	mostlyEqual := []float64{5, 5, 5, 5, 9}
	require.InDelta(t, math.Sqrt(math.Pi/2)*0.8, stats.Spread(mostlyEqual), 1e-15)
	require.Zero(t, stats.Spread([]float64{3, 3, 3}))
	require.True(t, math.IsNaN(stats.Median([]float64{nan})))
	require.True(t, math.IsNaN(stats.Spread(nil)))
}

func TestOrderStatisticIsWhatSortingGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.Float64Range(-5, 5)
		if rapid.Bool().Draw(t, "alike") {
			values = rapid.Map(rapid.IntRange(-2, 2), func(i int) float64 { return float64(i) })
		}
		x := rapid.SliceOfN(values, 1, 2000).Draw(t, "x")
		k := rapid.IntRange(0, len(x)-1).Draw(t, "k")
		before := slices.Clone(x)
		sorted := slices.Sorted(slices.Values(x))
		require.Equal(t, sorted[k], stats.OrderStatistic(x, k))
		low, high := sorted[(len(x)-1)/2], sorted[len(x)/2]
		require.Equal(t, low+(high-low)/2, stats.Median(x))
		require.Equal(t, low+(high-low)/2, stats.MedianOf(x))
		require.Equal(t, before, x)
	})
}

// Every length at which a sample grows, values in order and with a season, ends and
// infinities.
func TestOrderStatisticOfLongSeries(t *testing.T) {
	for _, n := range []int{128, 129, 400, 4095, 4096, 20_000} {
		x := make([]float64, n)
		for i := range x {
			x[i] = math.Sin(2*math.Pi*float64(i)/288) + float64(i)/float64(n)
		}
		x[n/3], x[n/2] = math.Inf(1), math.Inf(-1)
		sorted := slices.Sorted(slices.Values(x))
		for _, k := range []int{0, 1, n / 50, n / 2, n - 1 - n/50, n - 1} {
			require.Equal(t, sorted[k], stats.OrderStatistic(x, k), "%d of %d", k, n)
			require.Equal(t, sorted[k], stats.OrderStatistic(sorted, k), "%d of %d in order", k, n)
		}
	}
}

func BenchmarkCenter(b *testing.B) {
	for _, n := range []int{14, 288, 4032, 20_160} {
		x := make([]float64, n)
		state := uint64(1)
		for i := range x {
			state = state*6364136223846793005 + 1442695040888963407
			x[i] = float64(state >> 40)
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				stats.Center(x)
			}
		})
	}
}
