package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is an estimate with its confidence limits.
type Interval struct{ Estimate, Lower, Upper float64 }

// HodgesLehmann estimates by how much y is shifted against x: the median of
// all differences y−x, with the interval that inverts the Mann–Whitney test
// (Hodges and Lehmann 1963; Hollander, Wolfe and Chicken, section 4.3, large
// samples with correction for ties). Both samples must be in ascending order
// and finite. Of logarithms the shift is the logarithm of a ratio. An empty
// sample gives an interval without limits around 0.
func HodgesLehmann(x, y []float64, confidence float64) Interval {
	if len(x) == 0 || len(y) == 0 {
		return Interval{Lower: math.Inf(-1), Upper: math.Inf(1)}
	}
	pairs := len(x) * len(y)
	_, ties := rankSumAscending(x, y)
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	cut := float64(pairs)/2 - z*math.Sqrt(rankVariance(len(x), len(y), ties))
	low := min(max(int(math.Floor(cut)), 1), pairs)
	estimate := kthDifference(x, y, (pairs+1)/2)
	if pairs%2 == 0 {
		estimate = (estimate + kthDifference(x, y, pairs/2+1)) / 2
	}
	return Interval{
		Estimate: estimate,
		Lower:    kthDifference(x, y, low),
		Upper:    kthDifference(x, y, pairs+1-low),
	}
}

// kthDifference is the k-th smallest (from 1) of all differences y−x of two
// ascending samples. It bisects over the floating-point numbers themselves, so
// the answer is exact after at most 64 counts of len(x)+len(y) steps each.
func kthDifference(x, y []float64, k int) float64 {
	low, high := ordinal(y[0]-x[len(x)-1]), ordinal(y[len(y)-1]-x[0])
	for low < high {
		middle := low + int64(uint64(high-low)/2)
		if differencesUpTo(x, y, fromOrdinal(middle)) >= k {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return fromOrdinal(low)
}

// differencesUpTo counts the differences y−x that do not exceed the limit.
func differencesUpTo(x, y []float64, limit float64) int {
	count, j := 0, 0
	for _, value := range x {
		for j < len(y) && y[j]-value <= limit {
			j++
		}
		count += j
	}
	return count
}

// ordinal maps a float to an integer of the same order, and fromOrdinal back.
func ordinal(value float64) int64 {
	bits := int64(math.Float64bits(value))
	if bits < 0 {
		return math.MinInt64 - bits
	}
	return bits
}

func fromOrdinal(position int64) float64 {
	if position < 0 {
		position = math.MinInt64 - position
	}
	return math.Float64frombits(uint64(position))
}
