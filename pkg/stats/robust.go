package stats

import "math"

// consistency makes the median absolute deviation an estimate of a normal
// distribution's standard deviation: 1/Φ⁻¹(3/4).
const consistency = 1.482602218505602

// Observed copies the values that are not missing (NaN).
func Observed(x []float64) []float64 {
	observed := make([]float64, len(x))
	n := 0
	for _, v := range x {
		observed[n] = v
		n += one(v == v)
	}
	return observed[:n]
}

// Median of the values that are not missing; NaN where there is none.
func Median(x []float64) float64 { return MedianOf(Observed(x)) }

// MedianOf is the median of x, which holds no NaN and is not changed. NaN where
// x is empty.
func MedianOf(x []float64) float64 {
	var few [32]float64
	room := few[:]
	if len(x) > len(few) {
		room = make([]float64, len(x))
	}
	return middle(x, room)
}

// middle is the median of x in a room as large, which is overwritten.
func middle(x, room []float64) float64 {
	n := len(x)
	if n == 0 {
		return math.NaN()
	}
	lower, upper := narrowed(x, room, (n-1)/2, n/2)
	if n%2 == 1 {
		return upper
	}
	return lower + (upper-lower)/2
}

// Center is the median of the values that are not missing, and their Spread.
func Center(x []float64) (median, spread float64) {
	observed := Observed(x)
	room := make([]float64, len(observed))
	median = middle(observed, room)
	sum := 0.0
	for i, v := range observed {
		observed[i] = math.Abs(v - median)
		sum += observed[i]
	}
	if mad := consistency * middle(observed, room); mad != 0 {
		return median, mad
	}
	// √(π/2) relates the mean absolute deviation to the standard deviation.
	return median, math.Sqrt(math.Pi/2) * sum / float64(len(observed))
}

// Spread is the median absolute deviation from the median, scaled to estimate the
// standard deviation of normal data, and where that is zero because more than half
// of the values are equal, the mean absolute deviation from the median, scaled alike. Zero
// only for constant data; NaN where every value is missing.
func Spread(x []float64) float64 {
	_, spread := Center(x)
	return spread
}
