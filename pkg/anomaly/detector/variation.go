package detector

import (
	"math"
	"time"
)

const (
	variationShort        = 30 * time.Minute
	variationFewestPoints = 12
)

// Variation compares how much a series varies from point to point with what is
// usual: a signal that freezes or trembles, at whatever level.
type Variation struct{}

// Name implements Detector.
func (Variation) Name() string { return "variation" }

func (Variation) sideless() {}

// Score implements Detector: the logarithm of the smoothed absolute change over
// its usual size.
func (Variation) Score(in Input) []float64 {
	rate := 1 - math.Exp(-1/float64(in.points(variationShort, variationFewestPoints)))
	scores := make([]float64, len(in.Residual))
	level, before := math.NaN(), math.NaN()
	for i, z := range in.Residual {
		change := math.Abs(min(max(z-before, -2*cusumClip), 2*cusumClip))
		before = z
		if math.IsNaN(change) {
			scores[i] = math.NaN()
			continue
		}
		if math.IsNaN(level) {
			level = change
		}
		level += rate * (change - level)
		scores[i] = math.Log((level + variationFloor) / (1 + variationFloor))
	}
	return scores
}

// variationFloor keeps the logarithm finite where nothing changes at all.
const variationFloor = 0.05
