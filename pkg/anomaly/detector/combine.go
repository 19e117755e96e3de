package detector

import "math"

// Combine is the harmonic mean of p-values, as a p-value of all of them together
// (Wilson, PNAS 116, 2019): small values keep their size whatever the dependence
// between them, as with the Cauchy combination (Liu and Xie, Journal of the
// American Statistical Association 115, 2020), which it equals in the tail. NaN,
// a detector that cannot judge, is left out; NaN for none at all. The shares are
// the parts that each p-value has in it: they add up to 1, NaN where left out.
func Combine(probabilities []float64) (p float64, shares []float64) {
	weights := make([]float64, len(probabilities))
	for i := range weights {
		weights[i] = 1
	}
	return CombineWeighted(probabilities, weights)
}

// CombineWeighted is Combine with positive weights.
func CombineWeighted(probabilities, weights []float64) (p float64, shares []float64) {
	shares = make([]float64, len(probabilities))
	least, weight := math.Inf(1), 0.0
	for i, p := range probabilities {
		shares[i] = math.NaN()
		if !math.IsNaN(p) {
			least = min(least, max(p, math.SmallestNonzeroFloat64))
			weight += weights[i]
		}
	}
	if weight == 0 {
		return math.NaN(), shares
	}
	// Relative to the smallest, as the inverse of a tiny one overflows.
	total := 0.0
	for i, p := range probabilities {
		if !math.IsNaN(p) {
			shares[i] = weights[i] * least / max(p, math.SmallestNonzeroFloat64)
			total += shares[i]
		}
	}
	for i := range shares {
		shares[i] /= total
	}
	return min(weight*least/total, 1), shares
}

// CombinedProbability is the p-value of Combine.
func CombinedProbability(probabilities []float64) float64 {
	inverse, n := 0.0, 0.0
	least := math.Inf(1)
	for _, p := range probabilities {
		if !math.IsNaN(p) {
			least = min(least, max(p, math.SmallestNonzeroFloat64))
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	for _, p := range probabilities {
		if !math.IsNaN(p) {
			inverse += least / max(p, math.SmallestNonzeroFloat64)
		}
	}
	return min(n*least/inverse, 1)
}
