package stats

import (
	"math"
	"slices"
)

// consistency makes the median absolute deviation an estimate of a normal
// distribution's standard deviation: 1/Φ⁻¹(3/4).
const consistency = 1.482602218505602

// Observed copies the values that are not missing (NaN).
func Observed(x []float64) []float64 {
	observed := make([]float64, 0, len(x))
	for _, v := range x {
		if !math.IsNaN(v) {
			observed = append(observed, v)
		}
	}
	return observed
}

// Median of the values that are not missing; NaN where there is none.
func Median(x []float64) float64 { return MedianOf(Observed(x)) }

// MedianOf is the median of x, which holds no NaN and is reordered. NaN where
// x is empty.
func MedianOf(x []float64) float64 {
	n := len(x)
	if n == 0 {
		return math.NaN()
	}
	upper := OrderStatistic(x, n/2)
	if n%2 == 1 {
		return upper
	}
	lower := slices.Max(x[:n/2])
	return lower + (upper-lower)/2
}

// Center is the median of the values that are not missing, and their Spread.
func Center(x []float64) (median, spread float64) {
	deviations := Observed(x)
	median = MedianOf(deviations)
	sum := 0.0
	for i, v := range deviations {
		deviations[i] = math.Abs(v - median)
		sum += deviations[i]
	}
	if mad := consistency * MedianOf(deviations); mad != 0 {
		return median, mad
	}
	// √(π/2) relates the mean absolute deviation to the standard deviation.
	return median, math.Sqrt(math.Pi/2) * sum / float64(len(deviations))
}

// Spread is the median absolute deviation from the median, scaled to estimate the
// standard deviation of normal data, and where that is zero because more than half
// of the values are equal, the mean absolute deviation from the median, scaled alike. Zero
// only for constant data; NaN where every value is missing.
func Spread(x []float64) float64 {
	_, spread := Center(x)
	return spread
}

// OrderStatistic is the k-th smallest value of x (from 0), by Hoare's selection.
// x holds no NaN and is reordered so that x[:k] ≤ x[k] ≤ x[k+1:].
func OrderStatistic(x []float64, k int) float64 {
	low, high := 0, len(x)-1
	for low < high {
		pivot := x[low+(high-low)/2]
		i, j := low, high
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return x[k]
		}
	}
	return x[k]
}
