package detector

import (
	"cmp"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// tailShare of the points lie in the tail; short histories give more, up to
	// a quarter.
	tailShare      = 0.02
	wishedExcesses = 100
	fewestExcesses = 10
	// sampled points tell the body, and bodySize quantiles of it are kept: enough
	// where nothing is unusual.
	sampled  = 512
	bodySize = 33
	// heaviestShape bounds the shape of a tail: above ½ it has no variance.
	heaviestShape = 0.5
	// singular is how many past incidents may always be one-off, oneOffPerDay how
	// many on average: what comes more often is what the series does.
	singular     = 2
	oneOffPerDay = 1
	// priorExcesses is what is known before any excess was seen, in excesses: tails
	// of residuals are about exponential. Twice as many draw a fitted shape there.
	priorExcesses = 10
	// outreaches is how far beyond all others an incident must reach, in height
	// or length, to be one-off.
	outreaches = 1.5
	// fewestOthers clusters must stay.
	fewestOthers = 3
	// wide is a gap that chance leaves once in some twenty thousand, in usual ones.
	wide, wideLog = 10, 7
	// recurringDays and recurringWeeks are the shares of days and weeks from which
	// on what comes at the same time is regular.
	recurringDays, recurringWeeks = 0.2, 0.5
	// chanceSpacing is the most that clusters lie apart, in mean distances of
	// extremes.
	chanceSpacing = 1.5
)

// Calibration turns the scores of a detector into probabilities.
type Calibration struct{ above, below Tail }

// Calibrate learns from the scores of the past. Extremes less than apart points
// from each other count once, by their peak (runs declustering: Coles, An
// Introduction to Statistical Modeling of Extreme Values, section 5.3.2), so
// that a long incident is one observation and not a hundred.
func Calibrate(scores []float64, apart int) Calibration {
	return calibrate(scores, apart, 0)
}

func calibrate(scores []float64, apart, perDay int) Calibration {
	mirrored := make([]float64, len(scores))
	for i, v := range scores {
		mirrored[i] = -v
	}
	return Calibration{above: FitTail(scores, apart, perDay), below: FitTail(mirrored, apart, perDay)}
}

// CalibrateFor is Calibrate for the scores of a detector. Of one that adds up
// deviations it knows what another one is worth in a series that never deviated,
// as errors that were always zero: a power of e, though independent ones would
// be far rarer.
func CalibrateFor(d Detector, scores []float64, apart, perDay int) Calibration {
	c := calibrate(scores, apart, perDay)
	if adds, ok := d.(interface{ unit() float64 }); ok {
		c.above.unit, c.below.unit = adds.unit(), adds.unit()
	}
	return c
}

// Probability of a score at least as far out on its side.
func (c Calibration) Probability(score float64) float64 {
	if score < 0 {
		return c.below.Survival(-score)
	}
	return c.above.Survival(score)
}

// Bounds hold a score with the given probability.
func (c Calibration) Bounds(probability float64) (below, above float64) {
	tail := (1 - probability) / 2
	return max(c.below.Quantile(tail), 0), max(c.above.Quantile(tail), 0)
}

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

// FitTail learns an upper tail. NaN is passed over; nothing at all makes every
// score ordinary. What the rest would have called rare enough to page does not
// teach: at most so many of the highest and of the longest clusters.
func FitTail(scores []float64, apart, perDay int) Tail {
	observed := stats.Observed(scores)
	if len(observed) == 0 {
		return Tail{}
	}
	prior := 0.0
	if perDay > 0 {
		prior = priorExcesses
	}
	t := fitTail(scores, observed, apart, prior)
	runs := clusters(scores, t.threshold, t.reach(apart))
	most := singular
	if perDay > 0 {
		most = max(most, int(oneOffPerDay*float64(len(scores))/float64(perDay)))
	}
	if most = min(most, len(runs)/4); perDay == 0 {
		most = min(singular, len(runs)-fewestOthers)
	}
	if most < 1 {
		return t
	}
	excluded := tooLong(runs)
	if perDay == 0 {
		excluded = append(excluded, outreaching(runs, most)...)
	} else {
		excluded = append(excluded, outstanding(runs, most, t.threshold)...)
	}
	excluded = slices.DeleteFunc(excluded, func(r run) bool { return regular(r, runs, len(scores), perDay) })
	if len(excluded) == 0 {
		return t
	}
	return t.without(scores, excluded, apart, prior)
}

// without is the tail of what some clusters leave over.
func (t Tail) without(scores []float64, runs []run, apart int, prior float64) Tail {
	rest := slices.Clone(scores)
	for _, r := range runs {
		for i := r.first; i <= r.last; i++ {
			rest[i] = math.NaN()
		}
	}
	return fitTail(rest, stats.Observed(rest), apart, prior)
}

func fitTail(scores, observed []float64, apart int, prior float64) Tail {
	n := len(observed)
	share := max(tailShare, min(wishedExcesses/float64(n), 0.125), min(fewestExcesses/float64(n), 0.25))
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
	for _, r := range clusters(scores, t.threshold, t.reach(apart)) {
		excesses = append(excesses, r.peak-t.threshold)
	}
	t.scale, t.shape = fitPareto(excesses, prior)
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
	if k >= 2*fewestExcesses && a0 > 2*a1 {
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

// run is a cluster of extremes.
type run struct {
	first, last, size int
	peak              float64
}

// clusters are the runs of scores beyond the threshold at least apart points
// from each other.
func clusters(scores []float64, threshold float64, apart int) (runs []run) {
	for i, v := range scores {
		switch {
		case !(v > threshold):
		case len(runs) > 0 && i-runs[len(runs)-1].last < apart:
			r := &runs[len(runs)-1]
			r.last, r.size, r.peak = i, r.size+1, max(r.peak, v)
		default:
			runs = append(runs, run{first: i, last: i, size: 1, peak: v})
		}
	}
	return runs
}

func byPeak(runs []run) []run {
	sorted := slices.Clone(runs)
	slices.SortFunc(sorted, func(a, b run) int { return cmp.Compare(b.peak, a.peak) })
	return sorted
}

// outreaching are the highest runs, at most so many, that are far above all
// others.
func outreaching(runs []run, most int) []run {
	sorted := byPeak(runs)
	limit := outreaches * sorted[most].peak
	return slices.DeleteFunc(sorted[:most], func(r run) bool { return r.peak <= limit })
}

// outstanding are the highest runs, at most so many, that a wide gap parts from
// all others. The gaps between the highest of exponential excesses, each times
// its rank, are themselves exponential, and independent of those below (Rényi,
// Acta Mathematica Hungarica 4, 1953), so that the others tell how wide is wide;
// so are those of the logarithms of heavy-tailed ones (Hill, The Annals of
// Statistics 3, 1975). A gap must be wide for both.
func outstanding(runs []run, most int, threshold float64) []run {
	sorted := byPeak(runs)
	least := sorted[len(sorted)-1].peak
	if least <= 0 {
		return nil
	}
	gap := func(rank int) (plain, logarithmic float64) {
		above, below := sorted[rank-1].peak, sorted[rank].peak
		return float64(rank) * (above - below), float64(rank) * math.Log(above/below)
	}
	var plain, logarithmic, excess, n float64
	for rank := most + 1; rank < len(sorted); rank++ {
		p, l := gap(rank)
		plain, logarithmic, excess = plain+p, logarithmic+l, excess+sorted[rank].peak-threshold
		n++
	}
	plain = max(plain, excess) // gaps are nothing where scores are few and discrete
	for rank := most; rank > 0; rank-- {
		if p, l := gap(rank); p <= wide*plain/n || l <= wideLog*logarithmic/n {
			continue
		}
		limit := outreaches * sorted[rank].peak
		return slices.DeleteFunc(sorted[:rank], func(r run) bool { return r.peak <= limit })
	}
	return nil
}

// tooLong are the longest runs, at most singular, that are far longer than all
// others.
func tooLong(runs []run) (found []run) {
	most := min(singular, max(len(runs)-fewestOthers, 0))
	if most == 0 {
		return nil
	}
	sorted := slices.Clone(runs)
	slices.SortFunc(sorted, func(a, b run) int { return cmp.Compare(b.size, a.size) })
	for _, r := range sorted[:most] {
		if float64(r.size) > outreaches*float64(sorted[most].size) {
			found = append(found, r)
		}
	}
	return found
}

// regular tells whether runs about as high come at the same time on a share of
// the days, or of the weeks on the same day.
func regular(r run, runs []run, points, perDay int) bool {
	if perDay == 0 {
		return false
	}
	near := max(perDay/32, 1) // three quarters of an hour
	days, weeks := 0, 0
	for _, other := range runs {
		if other.peak < r.peak/outreaches {
			continue
		}
		apart := abs(other.first - r.first)
		if off := apart % perDay; min(off, perDay-off) > near {
			continue
		}
		days++
		if (apart+near)/perDay%7 == 0 {
			weeks++
		}
	}
	whole := float64(points) / float64(perDay)
	return days >= 2 && float64(days) >= recurringDays*whole || weeks >= 2 && float64(weeks) >= recurringWeeks*math.Floor(whole/7)
}

func abs(n int) int { return max(n, -n) }
