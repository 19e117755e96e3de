package detector

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// tailShare of the points lie in the tail; short histories give more, up to
	// a quarter.
	tailShare      = 0.02
	wishedExcesses = 100
	minExcesses    = 10
	// sampled points tell the body, and bodySize quantiles of it are kept: enough
	// where nothing is unusual.
	sampled  = 512
	bodySize = 33
	// heaviestShape bounds the shape of a tail: above ½ it has no variance.
	heaviestShape = 0.5
	// finestScale of the resolution is the least scale of a tail of discrete data:
	// one step further out is some fifty times rarer at most.
	finestScale = 0.25
	// chanceSpacing is the most that clusters lie apart, in mean distances of
	// extremes.
	chanceSpacing = 1.5
)

// Tail is the upper tail of a distribution of dependent scores: the share of
// points beyond a threshold, and a generalised Pareto distribution of the peaks
// beyond it.
type Tail struct {
	body         []float64 // ascending quantiles, evenly spaced from the least to the largest
	threshold    float64
	base         float64 // share of points beyond the threshold
	scale, shape float64
	// unit is the score of one more deviation, where nothing ever went beyond the
	// threshold; zero for a score that deviations do not add up in.
	unit float64
}

func (c Calibrator) fitTail(scores, observed []float64, prior float64) Tail {
	n := len(observed)
	share := max(tailShare, min(wishedExcesses/float64(n), 0.125), min(minExcesses/float64(n), 0.25))
	t := Tail{body: quantiles(observed)}
	t.threshold = stats.OrderStatistic(observed, min(int(float64(n)*(1-share)), n-1))
	beyond := 0
	for _, v := range observed {
		if v > t.threshold {
			beyond++
		}
	}
	t.base = float64(beyond+1) / float64(n+1)
	var excesses []float64
	for _, r := range clusters(scores, t.threshold, t.reach(c.Apart)) {
		excesses = append(excesses, r.peak-t.threshold)
	}
	if t.scale, t.shape = fitPareto(excesses, prior); t.scale > 0 {
		t.scale = max(t.scale, finestScale*c.Resolution)
	}
	return t
}

// reach is apart, but not much longer than the distance at which chance alone
// spaces extremes: on a fine grid all of them would be one cluster.
func (t Tail) reach(apart int) int { return max(min(apart, int(chanceSpacing/t.base)), 1) }

// quantiles of the values, from a sample of them.
func quantiles(values []float64) []float64 {
	sample := make([]float64, 0, sampled+1)
	for i := 0; i < len(values); i += 1 + len(values)/sampled {
		sample = append(sample, values[i])
	}
	slices.Sort(sample)
	kept := make([]float64, bodySize)
	for i := range kept {
		kept[i] = sample[i*(len(sample)-1)/(bodySize-1)]
	}
	return kept
}

// fitPareto estimates a generalised Pareto distribution by probability-weighted
// moments (Hosking and Wallis, Technometrics 29, 1987, section 4). To the shape
// comes what the estimate itself leaves open: the predictive distribution after
// k independent exponential excesses is Pareto's with shape 1/k; incidents come
// in groups, so that k clusters are worth about half as many.
func fitPareto(excesses []float64, prior float64) (scale, shape float64) {
	k := float64(len(excesses))
	if k == 0 {
		return 0, 0
	}
	slices.Sort(excesses)
	var a0, a1 float64
	for i, v := range excesses {
		a0 += v / k
		a1 += v / k * (1 - (float64(i)+1-0.35)/k)
	}
	scale = a0
	if k >= 2*minExcesses && a0 > 2*a1 {
		if fitted := min(2-a0/(a0-2*a1), heaviestShape); fitted > 0 {
			shape = fitted * k / (k + 2*prior)
			scale = a0 * (1 - shape)
		}
	}
	return scale, shape + 2/(k+prior)
}

// Survival is the probability of a point at x or beyond, never zero.
func (t Tail) Survival(x float64) float64 {
	switch {
	case len(t.body) == 0 || math.IsNaN(x):
		return 1
	case x <= t.threshold:
		return max(1-t.below(x), t.base)
	case t.scale == 0 && t.unit > 0:
		return max(t.base*math.Exp(-(x-t.threshold)/t.unit), math.SmallestNonzeroFloat64)
	case t.scale == 0:
		return t.base // nothing ever went beyond; that is all that can be said
	}
	return max(t.base*math.Pow(1+t.shape*(x-t.threshold)/t.scale, -1/t.shape), math.SmallestNonzeroFloat64)
}

// Quantile is the score that a point exceeds with probability p.
func (t Tail) Quantile(p float64) float64 {
	switch {
	case len(t.body) == 0:
		return 0
	case p >= t.base:
		return min(t.quantile(1-p), t.threshold)
	case t.scale == 0:
		return t.threshold
	}
	return t.threshold + t.scale/t.shape*(math.Pow(t.base/p, t.shape)-1)
}

// below is the share of the body below x, linear between its quantiles.
func (t Tail) below(x float64) float64 {
	at, _ := slices.BinarySearch(t.body, x)
	last := len(t.body) - 1
	switch {
	case at == 0:
		return 0
	case at > last:
		return 1
	}
	low, high := t.body[at-1], t.body[at] // low < x ≤ high
	fraction := (x/2 - low/2) / max(high/2-low/2, math.SmallestNonzeroFloat64)
	return (float64(at-1) + fraction) / float64(last)
}

// quantile of the body, the inverse of below.
func (t Tail) quantile(q float64) float64 {
	position := min(max(q, 0), 1) * float64(len(t.body)-1)
	at := min(int(position), len(t.body)-2)
	fraction := position - float64(at)
	return t.body[at]*(1-fraction) + t.body[at+1]*fraction
}
