package detector

import (
	"cmp"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// singular is how many past incidents may always be one-off.
	singular = 2
	// minOthers clusters must stay.
	minOthers = 3
)

// Tail learns an upper tail. NaN is passed over; nothing at all makes every
// score ordinary. What the rest would have called rare enough to page does not
// teach: at most so many of the highest and of the longest clusters.
func (c Calibrator) Tail(scores []float64) Tail {
	observed := stats.Observed(scores)
	if len(observed) == 0 {
		return Tail{}
	}
	prior := 0.0
	if c.PerDay > 0 {
		prior = c.Constants.PriorExcesses
	}
	t := c.fitTail(scores, observed, prior)
	runs := clusters(scores, t.threshold, t.reach(c.Apart))
	most := min(singular, len(runs)-minOthers)
	if c.PerDay > 0 {
		most = max(singular, int(c.Constants.OneOffPerDay*float64(len(scores))/float64(c.PerDay)))
		most = min(most, len(runs)/4)
	}
	if most < 1 {
		return t
	}
	excluded := c.tooLong(runs)
	if c.PerDay == 0 {
		excluded = append(excluded, c.outreaching(runs, most)...)
	} else {
		excluded = append(excluded, c.outstanding(runs, most, t.threshold)...)
	}
	excluded = slices.DeleteFunc(excluded, func(r run) bool { return c.regular(r, runs, len(scores)) })
	if len(excluded) == 0 {
		return t
	}
	return c.without(scores, excluded, prior)
}

// without is the tail of what some clusters leave over.
func (c Calibrator) without(scores []float64, runs []run, prior float64) Tail {
	rest := slices.Clone(scores)
	for _, r := range runs {
		for i := r.first; i <= r.last; i++ {
			rest[i] = math.NaN()
		}
	}
	return c.fitTail(rest, stats.Observed(rest), prior)
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
func (c Calibrator) outreaching(runs []run, most int) []run {
	sorted := byPeak(runs)
	limit := c.Constants.Outreach * sorted[most].peak
	return slices.DeleteFunc(sorted[:most], func(r run) bool { return r.peak <= limit })
}

// outstanding are the highest runs, at most so many, that a wide gap parts from
// all others. The gaps between the highest of exponential excesses, each times
// its rank, are themselves exponential, and independent of those below (Rényi,
// Acta Mathematica Hungarica 4, 1953), so that the others tell how wide is wide;
// so are those of the logarithms of heavy-tailed ones (Hill, The Annals of
// Statistics 3, 1975). A gap must be wide for both.
func (c Calibrator) outstanding(runs []run, most int, threshold float64) []run {
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
	// Gaps are nothing where scores are few and discrete.
	plain = max(plain, excess, n*c.Resolution)
	for rank := most; rank > 0; rank-- {
		if p, l := gap(rank); p <= c.Constants.WideGap*plain/n || l <= c.Constants.wideLogGap()*logarithmic/n {
			continue
		}
		limit := c.Constants.Outreach * sorted[rank].peak
		return slices.DeleteFunc(sorted[:rank], func(r run) bool { return r.peak <= limit })
	}
	return nil
}

// tooLong are the longest runs, at most singular, that are far longer than all
// others.
func (c Calibrator) tooLong(runs []run) (found []run) {
	most := min(singular, max(len(runs)-minOthers, 0))
	if most == 0 {
		return nil
	}
	sorted := slices.Clone(runs)
	slices.SortFunc(sorted, func(a, b run) int { return cmp.Compare(b.size, a.size) })
	for _, r := range sorted[:most] {
		if float64(r.size) > c.Constants.Outreach*float64(sorted[most].size) {
			found = append(found, r)
		}
	}
	return found
}

// regular tells whether runs about as high come at the same time on a share of
// the days, or of the weeks on the same day.
func (c Calibrator) regular(r run, runs []run, points int) bool {
	perDay := c.PerDay
	if perDay == 0 {
		return false
	}
	near := max(perDay/32, 1) // three quarters of an hour
	days, weeks := 0, 0
	for _, other := range runs {
		if other.peak < r.peak/c.Constants.Outreach {
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
	return days >= 2 && float64(days) >= c.Constants.RecurringDays*whole || weeks >= 2 && float64(weeks) >= c.Constants.RecurringWeeks*math.Floor(whole/7)
}

func abs(n int) int { return max(n, -n) }
