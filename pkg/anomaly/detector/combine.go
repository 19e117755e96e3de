package detector

import "math"

// Combine is the harmonic mean of p-values, as a p-value of all of them together
// (Wilson, PNAS 116, 2019): small values keep their size whatever the dependence
// between them, as with the Cauchy combination (Liu and Xie, Journal of the
// American Statistical Association 115, 2020), which it equals in the tail. NaN,
// a detector that cannot judge, is left out; 1 for none at all.
func Combine(probabilities []float64) float64 {
	inverse, n := 0.0, 0
	for _, p := range probabilities {
		if !math.IsNaN(p) {
			inverse += 1 / p
			n++
		}
	}
	if n == 0 {
		return 1
	}
	return min(float64(n)/inverse, 1)
}

// Shares are the parts that each p-value has in the harmonic mean; they add up
// to 1, or to 0 where there is nothing to share.
func Shares(probabilities []float64) []float64 {
	shares := make([]float64, len(probabilities))
	least, total := math.Inf(1), 0.0
	for _, p := range probabilities {
		if p < least { // false for NaN
			least = p
		}
	}
	for i, p := range probabilities {
		if !math.IsNaN(p) {
			shares[i] = least / p
			total += shares[i]
		}
	}
	for i := range shares {
		if total > 0 {
			shares[i] /= total
		}
	}
	return shares
}
