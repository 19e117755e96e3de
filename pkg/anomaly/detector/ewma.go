package detector

import (
	"math"
	"time"
)

// ewmaMemory is long enough to see what single points hide, short enough to be
// early.
const (
	ewmaMemory       = 30 * time.Minute
	ewmaFewestPoints = 6
)

// EWMA is the exponentially weighted moving average of the deviations (Roberts,
// Technometrics 1, 1959).
type EWMA struct{}

// Name implements Detector.
func (EWMA) Name() string { return "ewma" }

// Score implements Detector. Single deviations count at most cusumClip.
func (EWMA) Score(in Input) []float64 {
	rate := 1 - math.Exp(-1/float64(in.points(ewmaMemory, ewmaFewestPoints)))
	scores := make([]float64, len(in.Residual))
	level := 0.0
	for i, z := range in.Residual {
		if math.IsNaN(z) {
			scores[i] = z
			continue
		}
		level += rate * (min(max(z, -cusumClip), cusumClip) - level)
		scores[i] = level
	}
	return scores
}
