package anomaly

import (
	"cmp"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	extremeShare = 0.02 // of the points may begin a cluster of extremes
	// singular is how many past incidents may be one-off; from the next one on
	// they count as what the series does.
	singular = 2
	// outreaches is how far beyond all others an incident must reach, in height
	// or length, to be one-off.
	outreaches = 1.5
	fewestRuns = singular + 3
)

// calibration turns standardised residuals into tail probabilities.
type calibration struct{ above, below sideTail }

// sideTail is the tail of one side's peaks and how many points share a peak.
type sideTail struct {
	peaks stats.Tail
	size  float64
}

// calibrate learns from residuals of the past. Extremes close together count
// once, by their peak (runs declustering: Coles, An Introduction to Statistical
// Modeling of Extreme Values, section 5.3.2), so that a long incident is one
// observation and not a hundred.
func calibrate(z []float64, apart int) calibration {
	mirrored := make([]float64, len(z))
	for i, v := range z {
		mirrored[i] = -v
	}
	return calibration{above: fitSide(z, apart), below: fitSide(mirrored, apart)}
}

func fitSide(z []float64, apart int) sideTail {
	values, runs := decluster(z, apart)
	if singular := oneOff(runs); len(singular) > 0 {
		rest := slices.Clone(z)
		for _, r := range singular {
			for i := r.first; i <= r.last; i++ {
				rest[i] = math.NaN()
			}
		}
		values, runs = decluster(rest, apart)
	}
	size := 0.0
	for _, r := range runs {
		values = append(values, r.peak)
		size += float64(r.size) / float64(len(runs))
	}
	return sideTail{peaks: stats.FitTail(values), size: max(size, 1)}
}

// survival is the probability of a point at z or further out.
func (t sideTail) survival(z float64) float64 { return min(t.size*t.peaks.Survival(z), 1) }

// run is a cluster of extremes.
type run struct {
	first, last, size int
	peak              float64
}

// decluster splits what is observed into ordinary values and runs of extremes
// at least apart points from each other.
func decluster(z []float64, apart int) (ordinary []float64, runs []run) {
	ordered := stats.Observed(z)
	if len(ordered) == 0 {
		return nil, nil
	}
	threshold := stats.OrderStatistic(ordered, int(float64(len(ordered)-1)*(1-extremeShare)))
	ordinary = ordered[:0]
	for i, v := range z {
		switch {
		case math.IsNaN(v):
		case v <= threshold:
			ordinary = append(ordinary, v)
		case len(runs) > 0 && i-runs[len(runs)-1].last < apart:
			r := &runs[len(runs)-1]
			r.last, r.size, r.peak = i, r.size+1, max(r.peak, v)
		default:
			runs = append(runs, run{first: i, last: i, size: 1, peak: v})
		}
	}
	return ordinary, runs
}

// oneOff are the runs, at most singular by height and by length each, that
// reach far beyond all others.
func oneOff(runs []run) []run {
	if len(runs) < fewestRuns {
		return nil
	}
	byPeak, bySize := slices.Clone(runs), slices.Clone(runs)
	slices.SortFunc(byPeak, func(a, b run) int { return cmp.Compare(b.peak, a.peak) })
	slices.SortFunc(bySize, func(a, b run) int { return cmp.Compare(b.size, a.size) })
	var found []run
	for i := range singular {
		if byPeak[i].peak > outreaches*byPeak[singular].peak {
			found = append(found, byPeak[i])
		}
		if float64(bySize[i].size) > outreaches*float64(bySize[singular].size) {
			found = append(found, bySize[i])
		}
	}
	return found
}

// probability of a deviation at least as large as z on its own side, doubled
// for the two sides there are.
func (c calibration) probability(z float64) float64 {
	if z < 0 {
		return min(2*c.below.survival(-z), 1)
	}
	return min(2*c.above.survival(z), 1)
}

// bounds hold a standardised residual with the given probability.
func (c calibration) bounds(probability float64) (below, above float64) {
	tail := (1 - probability) / 2
	return max(orZero(c.below.peaks.Quantile(tail/c.below.size)), 0), max(orZero(c.above.peaks.Quantile(tail/c.above.size)), 0)
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
