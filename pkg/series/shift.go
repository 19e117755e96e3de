package series

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Shift is a lasting change of level.
type Shift struct {
	At   int     // first point of the new level
	Size float64 // new level less old
}

const (
	// shiftWindow is how long, in points, both levels must have lasted where no
	// season is longer; with a season, half of its period.
	shiftWindow = 50
	// A shift stands out from the changes that the level makes anyway: it is
	// shiftFactor times the change that nine in ten points do not reach. A
	// random walk has none, nor has what steps up and down every week.
	shiftFactor, ordinaryShare = 3, 0.9
	maxShifts                  = 5
	// Long series are first judged by averages, of which a window holds so many:
	// where no change comes near to standing out among these, none does among the
	// points, whose noise is larger.
	sketchWindow = 48
	sketchShare  = 0.8
)

// Shifts are the lasting changes of level in what the strong seasons (ascending
// periods) leave over, ascending. Each is the difference of the medians of the
// windows after and before it.
func Shifts(values []float64, periods []int) []Shift {
	window := shiftWindow
	for _, period := range periods {
		if period/2 > window {
			window = period / 2
			break
		}
	}
	n := len(values)
	if n < 4*window {
		return nil
	}
	if sketch, shorter, factor := sketchOf(values, periods, window); factor > 1 {
		_, changes, limit := levelChanges(withoutProfiles(sketch, shorter), window/factor)
		limit = max(limit, shiftFactor*pointNoise(values, periods))
		if !slices.ContainsFunc(changes, func(v float64) bool { return math.Abs(v) > sketchShare*limit }) {
			return nil
		}
	}
	rest := withoutProfiles(values, periods)
	medians, changes, limit := levelChanges(rest, window)
	var shifts []Shift
	for range maxShifts {
		best := 0
		for t, change := range changes {
			if math.Abs(change) > math.Abs(changes[best]) {
				best = t
			}
		}
		if !(math.Abs(changes[best]) > limit) {
			break
		}
		size := changes[best]
		before := medians[best-window+window/2]
		at := stepIn(rest, best-window, best+window, size, before+size/2)
		// An incident of half a window is not yet there in the first half of it,
		// or gone by the second.
		near := func(from, to int, level float64) bool {
			from = min(max(from, 0), n)
			return math.Abs(stats.Median(rest[from:max(min(to, n), from)])-level) < math.Abs(size)/2
		}
		if near(at-window, at-window/2, before) && near(at+window/2, at+window, before+size) {
			shifts = append(shifts, Shift{At: at, Size: size})
		}
		clear(changes[max(best-window, 0):min(best+window, n)])
	}
	slices.SortFunc(shifts, func(a, b Shift) int { return a.At - b.At })
	return shifts
}

// sketchOf are averages of values, with the periods that are left, and of how many
// points: 1 where the periods have no common divisor that would shorten them.
func sketchOf(values []float64, periods []int, window int) (sketch []float64, shorter []int, factor int) {
	for factor = window / sketchWindow; factor > 1; factor-- {
		shorter = shorter[:0]
		divides := true
		for _, period := range periods {
			divides = divides && (period%factor == 0 || factor%period == 0)
			if period >= 2*factor {
				shorter = append(shorter, period/factor)
			}
		}
		if divides {
			return Coarsen(values, factor), shorter, factor
		}
	}
	return nil, nil, 1
}

// pointNoise is the spread of the noise of single points, from below: of
// differences, of which neighbours' hold no level, and those over a season no shape.
func pointNoise(values []float64, periods []int) float64 {
	least := math.Inf(1)
	for _, lag := range append([]int{1}, periods...) {
		differences := make([]float64, 0, len(values))
		for i := lag; i < len(values); i++ {
			differences = append(differences, values[i]-values[i-lag])
		}
		if spread := stats.Spread(differences); spread < math.Inf(1) { // not NaN: nothing observed
			least = min(least, spread/math.Sqrt2)
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// levelChanges are the moving medians of what seasons leave over, how much they
// change from the window before each point to the one from it on, and how much
// a change must be to stand out.
func levelChanges(rest []float64, window int) (medians, changes []float64, limit float64) {
	n := len(rest)
	medians, changes = MovingMedian(rest, window), make([]float64, n)
	sizes := make([]float64, 0, n)
	for t := window; t <= n-window; t++ {
		// The median of the window around a point is that of the half before it
		// and the half after it.
		change := medians[min(t+window/2, n-1)] - medians[t-window+window/2]
		if !math.IsNaN(change) {
			changes[t] = change
			sizes = append(sizes, math.Abs(change))
		}
	}
	if len(sizes) == 0 {
		return medians, changes, math.Inf(1)
	}
	noise := slices.Clone(rest)
	for i := range noise {
		noise[i] -= medians[i]
	}
	ordinary := stats.OrderStatistic(sizes, int(ordinaryShare*float64(len(sizes)-1)))
	return medians, changes, shiftFactor * max(ordinary, stats.Spread(noise))
}

// stepIn is where, from low to high, values step over the middle.
func stepIn(values []float64, low, high int, size, middle float64) int {
	sum, most, at := 0.0, math.Inf(-1), low
	for t := low; t < high; t++ {
		if sum > most {
			most, at = sum, t
		}
		if v := values[t]; !math.IsNaN(v) {
			sum += max(min((middle-v)/size, 1), -1)
		}
	}
	return at
}

// withoutProfiles takes the shapes of the seasons off.
func withoutProfiles(values []float64, periods []int) []float64 {
	rest := slices.Clone(values)
	for _, period := range periods {
		profile := Profile(Detrended(KeepRecurring.cut(rest, period), period), period)
		for i := range rest {
			rest[i] -= profile[i%period]
		}
	}
	return rest
}
