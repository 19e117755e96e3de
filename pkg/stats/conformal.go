package stats

import (
	"math"
	"slices"
)

// Conformal turns a forecast's past errors into bounds for its next error:
// split conformal prediction on signed errors, each side on its own (Romano,
// Patterson and Candès 2019; Lei et al. 2018, section 2.2).
type Conformal struct{ sorted []float64 }

// NewConformal learns from signed errors, actual minus forecast, which hold no
// NaN and are not changed.
func NewConformal(errors []float64) Conformal {
	sorted := slices.Clone(errors)
	slices.Sort(sorted)
	return Conformal{sorted}
}

// Bounds hold the next error with the given probability, half of the rest on
// each side. Inside the data they are order statistics with the finite-sample
// correction (rank ⌈(n+1)(1+p)/2⌉), so that under exchangeability coverage is
// at least p; beyond it they follow a generalised Pareto tail. Both are
// monotone in p. Zero width where there is no data.
func (c Conformal) Bounds(probability float64) (lower, upper float64) {
	if len(c.sorted) == 0 {
		return 0, 0
	}
	tail := (1 - probability) / 2
	return -bound(c.sorted, tail, true), bound(c.sorted, tail, false)
}

func bound(sorted []float64, tail float64, mirror bool) float64 {
	n := len(sorted)
	rank := int(math.Ceil(float64(n+1) * (1 - tail)))
	if rank > n {
		side := sorted
		if mirror {
			side = make([]float64, n)
			for i, e := range sorted {
				side[n-1-i] = -e
			}
		}
		return max(FitTail(side).Quantile(tail), side[n-1])
	}
	return orderOf(sorted, rank, mirror)
}

// orderOf is the rank-th smallest value, or with mirror that of the negated
// values.
func orderOf(sorted []float64, rank int, mirror bool) float64 {
	if mirror {
		return -sorted[len(sorted)-rank]
	}
	return sorted[rank-1]
}

// Isotonic is the non-decreasing sequence nearest to y in least squares, by
// pooling adjacent violators (Barlow et al. 1972). Equal weights; order between
// two sequences is preserved.
func Isotonic(y []float64) []float64 {
	type block struct {
		mean float64
		size int
	}
	blocks := make([]block, 0, len(y))
	for _, v := range y {
		blocks = append(blocks, block{v, 1})
		for last := len(blocks) - 1; last > 0 && blocks[last-1].mean > blocks[last].mean; last-- {
			a, b := blocks[last-1], blocks[last]
			size := a.size + b.size
			blocks[last-1] = block{a.mean + (b.mean-a.mean)*float64(b.size)/float64(size), size}
			blocks = blocks[:last]
		}
	}
	fitted := make([]float64, 0, len(y))
	for _, b := range blocks {
		for range b.size {
			fitted = append(fitted, b.mean)
		}
	}
	return fitted
}
