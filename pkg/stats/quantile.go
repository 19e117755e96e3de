package stats

import "math"

// Quantile is the q-quantile of values in ascending order, linear between the
// order statistics (Hyndman and Fan 1996, type 7). It is 0 for no values; q is
// clamped to 0–1.
func Quantile(ascending []float64, q float64) float64 {
	if len(ascending) == 0 {
		return 0
	}
	position := math.Max(0, math.Min(1, q)) * float64(len(ascending)-1)
	below := int(position)
	if below+1 >= len(ascending) {
		return ascending[len(ascending)-1]
	}
	fraction := position - float64(below)
	return ascending[below] + fraction*(ascending[below+1]-ascending[below])
}
