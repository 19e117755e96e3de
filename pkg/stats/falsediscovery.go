package stats

import (
	"math"
	"sort"
)

// BenjaminiHochberg adjusts p-values so that those not above q name a set in
// which the expected share of false discoveries is at most q, for independent
// or positively dependent tests (Benjamini and Hochberg 1995; 2001). The
// result has the order of the input.
func BenjaminiHochberg(pValues []float64) []float64 { return stepUp(pValues, 1) }

// BenjaminiYekutieli is BenjaminiHochberg for tests of any dependence
// (Benjamini and Yekutieli 2001, theorem 1.3).
func BenjaminiYekutieli(pValues []float64) []float64 {
	harmonic := 0.0
	for i := range pValues {
		harmonic += 1 / float64(i+1)
	}
	return stepUp(pValues, harmonic)
}

func stepUp(pValues []float64, factor float64) []float64 {
	order := make([]int, len(pValues))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return pValues[order[i]] > pValues[order[j]] })
	adjusted := make([]float64, len(pValues))
	smallest := 1.0
	for position, index := range order {
		rank := float64(len(order) - position)
		smallest = math.Min(smallest, pValues[index]*(factor*float64(len(order))/rank))
		adjusted[index] = smallest
	}
	return adjusted
}
