package series

import (
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Calendar holds the seasons that operations metrics have. Periods found by
// Fourier transform instead of the calendar do worse on such data.
var Calendar = []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}

// Season is a repeating pattern.
type Season struct {
	Period int // points
	// Strength is the share of the detrended variation that repeats, 0 to 1.
	Strength float64
}

// strongFrom is the least strength of a season worth modelling (Hyndman and
// Athanasopoulos, Forecasting: Principles and Practice, section 4.3), for many
// cycles; with few cycles chance alone repeats more.
const strongFrom = 0.3

// minRecurring is how many cycles it takes to tell what recurs from chance:
// two cycles agree with what both of them have, whatever it is.
const minRecurring = 4

// Periods converts durations to points of step, ascending. A duration that is
// not a whole number of steps, or shorter than two, cannot be followed on the
// grid and is left out.
func Periods(durations []time.Duration, step time.Duration) []int {
	var periods []int
	for _, d := range durations {
		if step > 0 && d%step == 0 && d/step >= 2 {
			periods = append(periods, int(d/step))
		}
	}
	slices.Sort(periods)
	return slices.Compact(periods)
}

// Seasons are those of the ascending candidate periods (in points) that repeat
// strongly in what the shorter ones leave over, and of which values holds at
// least two cycles.
func Seasons(values []float64, candidates []int, peaks Peaks) []Season {
	rest := slices.Clone(values)
	var strong []Season
	for _, period := range candidates {
		if period < 2 || 2*period > len(values) {
			continue
		}
		kept := peaks
		if len(values) < minRecurring*period {
			kept = ClipPeaks
		}
		detrended := Detrended(kept.cut(rest, period), period)
		if peaks == ClipPeaks {
			// What the shorter seasons explained no longer hides an incident.
			rest = peaks.cut(rest, period)
			detrended = peaks.cut(detrended, period)
		}
		cycles := float64(len(values)) / float64(period)
		strength := repeats(detrended, period)
		if strength < strongFrom+strongFrom/(cycles-1) {
			continue
		}
		strong = append(strong, Season{Period: period, Strength: strength})
		profile := Profile(detrended, period)
		for i := range rest {
			rest[i] -= profile[i%period]
		}
	}
	return strong
}

// blocksPerCycle is the resolution at which repetition is judged: fine enough
// for the shape of a cycle, coarse enough to average noise out.
const blocksPerCycle = 168

// repeats is the correlation of x with itself one period later.
func repeats(x []float64, period int) float64 {
	if block := period / blocksPerCycle; block > 1 && period%block == 0 {
		x, period = Coarsen(x, block), period/block
	}
	return Autocorrelation(x, period)
}

// Autocorrelation is the correlation of x with itself a lag later, about zero
// and not about the mean, from -1 to 1. Points that are NaN are left out; it is
// 0 where nothing is left.
func Autocorrelation(x []float64, lag int) float64 {
	var cross, before, after float64
	for i := lag; i < len(x); i++ {
		if a, b := x[i-lag], x[i]; !math.IsNaN(a) && !math.IsNaN(b) {
			cross += a * b
			before += a * a
			after += b * b
		}
	}
	if before == 0 || after == 0 {
		return 0
	}
	return cross / math.Sqrt(before) / math.Sqrt(after)
}

// Profile is the typical value at each phase of a period; values[i] has phase
// i mod period. It is the median over the cycles, so that an incident does not
// teach. Of two cycles it is what both agree on: their mean, but at most half as
// much again as the value nearer zero, and zero where they point in opposite
// directions. A phase never observed takes the line between its neighbours.
func Profile(values []float64, period int) []float64 {
	profile := make([]float64, period)
	seen := make([]float64, 0, len(values)/period+1)
	for phase := range profile {
		seen = seen[:0]
		for i := phase; i < len(values); i += period {
			if !math.IsNaN(values[i]) {
				seen = append(seen, values[i])
			}
		}
		if len(seen) == 2 {
			profile[phase] = agreement(seen[0], seen[1])
		} else {
			profile[phase] = stats.MedianOf(seen)
		}
	}
	FillCircular(profile)
	return profile
}

func agreement(a, b float64) float64 {
	if a > 0 != (b > 0) {
		return 0
	}
	least := min(math.Abs(a), math.Abs(b))
	return math.Copysign(min(math.Abs(a/2+b/2), 1.5*least), a)
}

// FillCircular replaces missing values by the line between their neighbours,
// the end joined to the beginning; all missing becomes zero.
func FillCircular(x []float64) {
	first := slices.IndexFunc(x, func(v float64) bool { return !math.IsNaN(v) })
	if first < 0 {
		clear(x)
		return
	}
	n, last := len(x), first
	for step := 1; step <= n; step++ {
		at := first + step
		if math.IsNaN(x[at%n]) {
			continue
		}
		from, to := x[last%n], x[at%n]
		for i := last + 1; i < at; i++ {
			x[i%n] = from + (to-from)*float64(i-last)/float64(at-last)
		}
		last = at
	}
}

// Detrended is what a moving mean over one period leaves over.
func Detrended(values []float64, period int) []float64 {
	rest := MovingMean(values, period)
	for i := range rest {
		rest[i] = values[i] - rest[i]
	}
	return rest
}
