package series

import (
	"fmt"
	"slices"
)

const (
	mstlPasses = 2
	// firstWindow and nextWindow are the seasonal windows of forecast::mstl: 11
	// for the shortest period, four more for each longer one.
	firstWindow = 11
	nextWindow  = 4
)

// MSTL decomposes a series of several seasons by applying STL to each in turn,
// shortest first, twice (Bandara, Hyndman and Bergmeir 2021, arXiv:2107.13462).
// Periods of which y holds fewer than two cycles are left out; base gives all
// settings but period and seasonal window.
func MSTL(y, weights []float64, periods []int, base STL) (Decomposition, error) {
	periods = slices.Sorted(slices.Values(periods))
	periods = slices.DeleteFunc(slices.Compact(periods), func(period int) bool { return period < 2 || 2*period > len(y) })
	if len(periods) == 0 {
		return Decomposition{}, fmt.Errorf("no period has two cycles in %d points", len(y))
	}
	result := Decomposition{Seasons: make([][]float64, len(periods))}
	for i := range result.Seasons {
		result.Seasons[i] = make([]float64, len(y))
	}
	rest := slices.Clone(y)
	base.kernels = kernels{}
	for range mstlPasses {
		for i, period := range periods {
			for j, v := range result.Seasons[i] {
				rest[j] += v
			}
			stl := base
			stl.Period = period
			stl.Seasonal = firstWindow + nextWindow*i
			d, err := stl.Decompose(rest, weights)
			if err != nil {
				return Decomposition{}, err
			}
			result.Trend, result.Weights, result.Seasons[i] = d.Trend, d.Weights, d.Seasons[0]
			for j, v := range result.Seasons[i] {
				rest[j] -= v
			}
		}
		if len(periods) == 1 {
			break
		}
	}
	result.Remainder = rest
	for i := range rest {
		rest[i] -= result.Trend[i]
	}
	return result, nil
}
