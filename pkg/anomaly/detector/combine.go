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

// Agreed is the harmonic mean of p-values, drawn some way to half of the third
// smallest of them, as powers: what three detectors see is rarely chance, what one
// alone sees often is how it errs (compare Rüger, Metrika 25, 1978). Half, since
// three that look at the same point see much the same noise. Fewer than three are
// not drawn. NaN is left out, and is the answer where nothing is left.
func Agreed(probabilities []float64, agreement float64) float64 {
	least, n := [3]float64{1, 1, 1}, 0.0
	for _, p := range probabilities {
		if math.IsNaN(p) {
			continue
		}
		n++
		p = max(p, math.SmallestNonzeroFloat64)
		for k := range least {
			if p < least[k] {
				p, least[k] = least[k], p
			}
		}
	}
	if n == 0 {
		return math.NaN()
	}
	inverse := 0.0 // relative to the smallest, as the inverse of a tiny one overflows
	for _, p := range probabilities {
		if !math.IsNaN(p) {
			inverse += least[0] / max(p, math.SmallestNonzeroFloat64)
		}
	}
	mean := min(n*least[0]/inverse, 1)
	if n < 3 {
		return mean
	}
	drawn := (1-agreement)*math.Log(mean) + agreement*(math.Log(least[2])-math.Ln2)
	return max(math.Exp(drawn), math.SmallestNonzeroFloat64)
}
