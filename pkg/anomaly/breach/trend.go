package breach

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// trendWindows are the stretches over which a trend is looked for: from a leak of
// a day to a surge of five minutes.
var trendWindows = []time.Duration{
	5 * time.Minute, 15 * time.Minute, 25 * time.Minute, 40 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour,
}

const (
	trendBlocks     = 12 // means that a window is condensed to
	minTrendPoints  = 5  // points
	lookBackPerStep = 2  // slopes per window to learn from, for each block
)

// trend knows how steep a series usually is over a window.
type trend struct {
	window int // points
	usual  detector.Calibration
	spread float64 // of usual slopes, per point
}

// learnTrends learns from the past of a series without its seasons. Windows that are longer than most, or hold too few points, are left
// out.
func learnTrends(y []float64, step, longest time.Duration) []trend {
	var trends []trend
	for _, window := range trendWindows {
		points := int(window / step)
		if points < minTrendPoints || window > longest || 4*points > len(y) {
			continue
		}
		stride := max(points/trendBlocks/lookBackPerStep, 1)
		var slopes []float64
		for i := points; i <= len(y); i += stride {
			slope, _ := slopeOf(y[i-points : i])
			slopes = append(slopes, slope)
		}
		spread := stats.Spread(slopes)
		if math.IsNaN(spread) {
			continue
		}
		trends = append(trends, trend{points, detector.Calibrate(slopes, max(points/stride, 1)), spread})
	}
	return trends
}

// slopeOf is the median of the slopes between all pairs of a window's points
// (Theil 1950; Sen, Journal of the American Statistical Association 63, 1968),
// of long windows between the means of its blocks, and where that line ends. NaN
// where more than half of the blocks are missing.
func slopeOf(y []float64) (slope, end float64) {
	blocks := min(len(y), trendBlocks)
	var center, value [trendBlocks]float64
	n := 0
	for b := range blocks {
		from, to := b*len(y)/blocks, (b+1)*len(y)/blocks
		sum, count := 0.0, 0
		for _, v := range y[from:to] {
			if !math.IsNaN(v) {
				sum += v
				count++
			}
		}
		if count > 0 {
			center[n], value[n] = float64(from+to-1)/2, sum/float64(count)
			n++
		}
	}
	if 2*n <= blocks || n < 3 {
		return math.NaN(), math.NaN()
	}
	var pairs [trendBlocks * (trendBlocks - 1) / 2]float64
	count := 0
	for i := range n {
		for j := range i {
			pairs[count] = (value[i] - value[j]) / (center[i] - center[j])
			count++
		}
	}
	slope = stats.MedianOf(pairs[:count])
	var ends [trendBlocks]float64
	for i := range n {
		ends[i] = value[i] + slope*(float64(len(y)-1)-center[i])
	}
	return slope, stats.MedianOf(ends[:n])
}
