package detector

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// centerOf is the median and the spread of x, usable as they are: 0 and 1 where
// there is nothing to evaluate them from.
func centerOf(x []float64) (center, spread float64) {
	center, spread = stats.Center(x)
	if math.IsNaN(center) {
		center = 0
	}
	if !(spread > 0) {
		spread = 1
	}
	return center, spread
}

// bounded keeps a quotient inside what a float holds; NaN stays.
func bounded(v float64) float64 { return min(max(v, -math.MaxFloat64), math.MaxFloat64) }
