package series

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Unit is a power of two near the spread of the values, so that divided by it
// they are of ordinary size, and nothing is rounded. Missing values are skipped.
func Unit(values []float64) float64 {
	largest := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			largest = max(largest, math.Abs(v))
		}
	}
	if largest == 0 {
		return 1
	}
	_, exponent := math.Frexp(largest)
	// Shrink first: the spread of values near the largest float overflows.
	shrunk := make([]float64, len(values))
	for i, v := range values {
		shrunk[i] = math.Ldexp(v, -exponent)
	}
	spread := max(stats.Spread(shrunk), 1e-9)
	_, own := math.Frexp(spread)
	return math.Ldexp(1, max(min(exponent+own, 1020), -1020))
}
