package detector

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	medianWindow       = 24 * time.Hour
	medianFewestPoints = 48
	// medianRefreshes per window are enough: a median over a day moves slowly.
	medianRefreshes = 24
	medianSample    = 288 // points of the window tell its median well enough
)

// Median is the distance from the median of the last day in median absolute
// deviations, whatever the season (Leys et al., Journal of Experimental Social
// Psychology 49, 2013).
type Median struct{}

// Name implements Detector.
func (Median) Name() string { return "median" }

// Score implements Detector.
func (Median) Score(in Input) []float64 { return rollingRobust(in, in.Value) }

func rollingRobust(in Input, x []float64) []float64 {
	window := in.points(medianWindow, medianFewestPoints)
	refresh := max(window/medianRefreshes, 1)
	scores := make([]float64, len(x))
	center, spread := math.NaN(), math.NaN()
	var sample []float64
	for i, v := range x {
		if i >= medianFewestPoints && (i%refresh == 0 || math.IsNaN(center)) {
			sample = sample[:0]
			for j := max(i-window, 0); j < i; j += max(window/medianSample, 1) {
				sample = append(sample, x[j])
			}
			center, spread = stats.Center(sample)
		}
		scores[i] = (v - center) / spread
		if v == center {
			scores[i] = 0
		}
		if spread == 0 && v != center {
			scores[i] = math.NaN() // no deviation was ever seen to compare with
		}
		scores[i] = bounded(scores[i])
	}
	return scores
}
