package stats

import (
	"math"
	"sort"
)

// BenjaminiHochberg adjusts p-values so that those not above q name a set in
// which the expected share of false discoveries is at most q, for independent
// or positively dependent tests (Benjamini and Hochberg 1995; 2001). The
// result has the order of the input.
func BenjaminiHochberg(pValues []float64) []float64 {
	order := make([]int, len(pValues))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return pValues[order[i]] > pValues[order[j]] })
	adjusted := make([]float64, len(pValues))
	smallest := 1.0
	for position, index := range order {
		rank := float64(len(order) - position)
		smallest = math.Min(smallest, pValues[index]*(float64(len(order))/rank))
		adjusted[index] = smallest
	}
	return adjusted
}
