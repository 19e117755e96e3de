package series

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// MovingMean is the mean of the window values around each point, missing ones
// left out. At the ends the window is moved inside rather than cut, so that a
// window of one period always holds every phase. NaN where all are missing.
func MovingMean(values []float64, window int) []float64 {
	n := len(values)
	window = min(max(window, 1), max(n, 1))
	sums, counts := make([]float64, n+1), make([]int, n+1)
	for i, v := range values {
		sums[i+1], counts[i+1] = sums[i], counts[i]
		if !math.IsNaN(v) {
			sums[i+1] += v
			counts[i+1]++
		}
	}
	means := make([]float64, n)
	if counts[n] == n {
		each := 1 / float64(window)
		for i := range means {
			low := min(max(i-window/2, 0), n-window)
			means[i] = (sums[low+window] - sums[low]) * each
		}
		return means
	}
	for i := range means {
		low := min(max(i-window/2, 0), n-window)
		means[i] = (sums[low+window] - sums[low]) / float64(counts[low+window]-counts[low])
	}
	return means
}

// Winsorize copies the values with those further than limit spreads (see
// stats.Spread) from the median moved to that distance.
func Winsorize(values []float64, limit float64) []float64 {
	center, spread := stats.Center(values)
	reach := limit * spread
	clipped := slices.Clone(values)
	for i, v := range clipped {
		if !math.IsNaN(v) {
			clipped[i] = min(max(v, center-reach), center+reach)
		}
	}
	return clipped
}
