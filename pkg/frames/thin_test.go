package frames

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/series"
)

func TestThinningKeepsThePeaks(t *testing.T) {
	nan := math.NaN()
	grid := series.Series{Start: noon, Step: time.Minute}
	weight := []float64{1, 9, 2, nan, 3, nan, nan}
	require.Equal(t, []int{1, 4, 6}, shownRows(grid, 3*time.Minute, weight))
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, shownRows(grid, 0, weight))
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, shownRows(grid, 100*time.Second, weight))
	require.Empty(t, shownRows(series.Series{}, time.Minute, nil))
}

func TestThinningStaysWhileAWindowMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weight := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 200).Draw(t, "weight")
		resolution := time.Duration(rapid.IntRange(0, 1800).Draw(t, "resolution")) * time.Second
		moved := rapid.IntRange(0, len(weight)-1).Draw(t, "moved")
		grid := series.Series{Start: noon.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "start")) * time.Minute), Step: time.Minute}
		later := series.Series{Start: grid.Time(moved), Step: time.Minute}
		whole, part := shownRows(grid, resolution, weight), shownRows(later, resolution, weight[moved:])
		require.LessOrEqual(t, len(whole), len(weight))
		shared := min(len(whole), len(part)) - 1 // the first stretch of the later window may be cut
		for i := 1; i <= shared; i++ {
			require.Equal(t, whole[len(whole)-i], part[len(part)-i]+moved)
		}
	})
}
