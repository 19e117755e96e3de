package stats_test

import (
	"math"
	"slices"
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
		x := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1, 60).Draw(t, "x")
		k := rapid.IntRange(0, len(x)-1).Draw(t, "k")
		sorted := slices.Sorted(slices.Values(x))
		require.Equal(t, sorted[k], stats.OrderStatistic(x, k))
		require.LessOrEqual(t, slices.Max(x[:k+1]), slices.Min(x[k:]))
	})
}
