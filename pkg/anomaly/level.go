package anomaly

import (
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// gateAt is how many spreads from the level a point may lie and still move
	// it in full; further out it moves the level no more.
	gateAt = 3
	// frozenAt is where a point does not move the level at all.
	frozenAt = 6
	// tolerated is how much wider the residuals may be under a longer memory: a
	// slow level sees gradual incidents that a fast one follows.
	tolerated = 1.25
	// shiftAfter is how long a deviation must last before the new level is
	// accepted.
	shiftAfter = 6 * time.Hour
	minShifted = 30 // points
	// shortShifted are the points after which it is accepted where no day is known.
	shortShifted = 10
	// recentSample points of the latter half of that time tell the new level.
	recentSample = 60
)

// memories are the time constants of the level to choose from.
var memories = []time.Duration{24 * time.Hour, 6 * time.Hour, 90 * time.Minute, 20 * time.Minute}

const (
	shortestMemory = 4     // points
	spreadSample   = 1_000 // residuals are enough to compare spreads
)

// level tracks the level of a series by exponential smoothing that unusual
// points move little. A deviation that lasts and has become steady is a level
// shift: the level moves to it.
type level struct {
	value    float64
	memory   int // points
	rate     float64
	spread   float64 // usual distance of a point from the level
	patience int     // points that a deviation must last
	outside  int     // leaky count of points beyond the gate
	recent   []float64
	stride   int // every stride-th point is among the recent ones
	seen     int
	before   float64 // the level before the last shift, where a return to it is no news; NaN for none
	returns  bool    // whether such returns are known
}

// chooseLevel is the level at the beginning of y with the longest memory that y
// allows.
func chooseLevel(y []float64, step time.Duration, short bool) level {
	candidates := []int{}
	for _, m := range memories {
		if points := int(m / step); points > shortestMemory && 4*points <= len(y) {
			candidates = append(candidates, points)
		}
	}
	candidates = append(candidates, shortestMemory)
	patience := max(int(shiftAfter/step), minShifted)
	if short { // what may be no rhythm is followed
		l := newLevel(y, shortestMemory, residualSpread(y, shortestMemory), shortShifted)
		l.returns = true
		return l
	}
	spreads := make([]float64, len(candidates))
	least := math.Inf(1)
	for i, m := range candidates {
		spreads[i] = residualSpread(y, m)
		least = min(least, spreads[i])
	}
	for i, m := range candidates {
		if spreads[i] <= tolerated*least {
			return newLevel(y, m, spreads[i], patience)
		}
	}
	return newLevel(y, shortestMemory, least, patience)
}

// newLevel begins at the beginning of y.
func newLevel(y []float64, memory int, spread float64, patience int) level {
	l := level{
		value: stats.Median(y[:min(len(y), max(memory, 10))]), memory: memory,
		rate: 1 - math.Exp(-1/float64(memory)), spread: spread, patience: patience,
		stride: max(patience/2/recentSample, 1), before: math.NaN(),
	}
	if math.IsNaN(l.value) {
		l.value = stats.Median(y)
	}
	l.recent = make([]float64, patience/2/l.stride+1)
	for i := range l.recent {
		l.recent[i] = math.NaN()
	}
	return l
}

// residualSpread is the robust spread of one-step residuals under a memory, the
// gate set from a first pass without one.
func residualSpread(y []float64, memory int) float64 {
	spread := math.Inf(1)
	from, stride := min(memory, len(y)/2), 1+len(y)/2/spreadSample
	for range 2 {
		l := newLevel(y, memory, spread, math.MaxInt/2)
		residual, observed := make([]float64, 0, 2*spreadSample), 0
		for i, v := range y {
			if i >= from && !math.IsNaN(v) { // missing points may come as regularly as sampled ones
				if observed%stride == 0 {
					residual = append(residual, v-l.value)
				}
				observed++
			}
			l.follow(v)
		}
		if len(residual) == 0 {
			return spread
		}
		spread = stats.Spread(residual)
	}
	return spread
}

func (l level) clone() level {
	l.recent = slices.Clone(l.recent)
	return l
}

// next takes in a point and gives by how much the level shifted; zero for no
// shift.
func (l *level) next(v float64) (shift float64) {
	if l.seen%l.stride == 0 {
		l.recent[l.seen/l.stride%len(l.recent)] = v
	}
	l.seen++
	l.follow(v)
	if l.outside < l.patience {
		return 0
	}
	l.outside = 0
	if center, spread := stats.Center(l.recent); spread <= frozenAt*l.spread {
		shift = center - l.value
		if l.returns {
			l.before = l.value
		}
		l.value = center
	}
	return shift
}

// back goes back to the level before the last shift where a point, which is still
// to come, lies there and not at the new one: a job that ends, an outage that is
// over. It gives by how much the level shifted; zero for no shift. A further shift
// there is news again.
func (l *level) back(v float64) (shift float64) {
	near := frozenAt * l.spread
	if !(math.Abs(v-l.before) <= near && math.Abs(v-l.value) > near) { // NaN is not
		return 0
	}
	shift = l.before - l.value
	l.value, l.outside, l.before = l.before, 0, math.NaN()
	return shift
}

// follow moves the level towards a point.
func (l *level) follow(v float64) {
	e := v - l.value
	size := math.Abs(e)
	switch {
	case math.IsNaN(e):
	case size > frozenAt*l.spread:
		l.outside++
	default:
		l.value += l.rate * math.Copysign(min(size, gateAt*l.spread), e)
		l.outside = max(l.outside-2, 0)
	}
}
