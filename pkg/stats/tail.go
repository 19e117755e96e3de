package stats

import (
	"math"
	"slices"
)

const (
	// tailShare is the part of the data that the generalised Pareto
	// distribution is fitted to; small samples give more, up to a half.
	tailShare      = 0.02
	wishedExcesses = 100
	// minExcesses is what a fit of two parameters needs; below it the tail is
	// exponential.
	minExcesses = 20
	// heaviestShape bounds the shape: above ½ a tail has no variance, and a fit
	// that says so has seen an outlier rather than a law.
	heaviestShape = 0.5
)

// Tail is the upper tail of a distribution: the empirical distribution function
// inside the data, a generalised Pareto distribution beyond its threshold
// (peaks over threshold: Coles, An Introduction to Statistical Modeling of
// Extreme Values, ch. 4; as in SPOT, Siffer et al., KDD 2017).
type Tail struct {
	sorted           []float64
	Threshold        float64
	Scale, Shape     float64
	Rate             float64 // share of the data above the threshold
	excess, observed int
}

// FitTail learns an upper tail from x, which holds no NaN and is not changed.
// The shape is bounded to [0, ½]: a tail is never taken to end, so nothing is
// ever impossible.
func FitTail(x []float64) Tail {
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	n := len(sorted)
	if n == 0 {
		return Tail{}
	}
	k := max(int(math.Ceil(tailShare*float64(n))), min(wishedExcesses, n/8), min(minExcesses, n/2))
	k = min(k, n-1)
	t := Tail{sorted: sorted, Threshold: sorted[n-1-k], excess: k, observed: n}
	t.Rate = float64(k) / float64(n)
	t.Scale, t.Shape = fitPareto(sorted[n-k:], t.Threshold)
	return t
}

// fitPareto estimates a generalised Pareto distribution from ascending values
// above a threshold by probability-weighted moments (Hosking and Wallis,
// Technometrics 29, 1987, section 4).
func fitPareto(values []float64, threshold float64) (scale, shape float64) {
	n := float64(len(values))
	var a0, a1 float64
	for i, v := range values {
		excess := v - threshold
		a0 += excess / n
		a1 += excess / n * (1 - (float64(i)+1-0.35)/n)
	}
	if len(values) < minExcesses || a0 <= 2*a1 {
		return a0, 0
	}
	shape = 2 - a0/(a0-2*a1)
	if shape <= 0 {
		return a0, 0
	}
	shape = min(shape, heaviestShape)
	return a0 * (1 - shape), shape
}

// Quantile is the value that is exceeded with probability p.
func (t Tail) Quantile(p float64) float64 {
	if t.observed == 0 {
		return math.NaN()
	}
	base := (float64(t.excess) + 1) / float64(t.observed+1)
	if p >= base {
		at := int((1 - p) * float64(t.observed+1))
		return t.sorted[min(max(at, 0), t.observed-1-t.excess)]
	}
	if t.Shape == 0 {
		return t.Threshold + t.Scale*math.Log(base/p)
	}
	return t.Threshold + t.Scale/t.Shape*(math.Pow(base/p, t.Shape)-1)
}

// Probability is that of a value at least as large as v, never zero.
func (t Tail) Probability(v float64) float64 {
	if t.observed == 0 {
		return math.NaN()
	}
	if v <= t.Threshold || !(t.Scale > 0) {
		at, _ := slices.BinarySearch(t.sorted, v)
		return float64(t.observed-at+1) / float64(t.observed+1)
	}
	base := (float64(t.excess) + 1) / float64(t.observed+1)
	if t.Shape == 0 {
		return base * math.Exp((t.Threshold-v)/t.Scale)
	}
	return base * math.Pow(1+t.Shape*(v-t.Threshold)/t.Scale, -1/t.Shape)
}
