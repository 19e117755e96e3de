package series_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

func TestMovingMedianIsTheMedianOfEachWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(-5, 5), rapid.SampledFrom([]float64{0, 1, 1, math.NaN()}))
		values := rapid.SliceOfN(value, 1, 200).Draw(t, "values")
		window := rapid.IntRange(1, 250).Draw(t, "window")
		medians := series.MovingMedian(values, window)
		n := len(values)
		window = min(window, n)
		for i := range values {
			low := min(max(i-window/2, 0), n-window)
			want := stats.Median(values[low : low+window])
			if math.IsNaN(want) {
				require.True(t, math.IsNaN(medians[i]))
				continue
			}
			require.InDelta(t, want, medians[i], 1e-12)
		}
	})
}
