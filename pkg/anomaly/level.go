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
		l := newLevel(y, shortestMemory, residualSpreads(y, candidates[len(candidates)-1:])[0], shortShifted)
		l.returns = true
		return l
	}
	spreads := residualSpreads(y, candidates)
	least := math.Inf(1)
	for _, spread := range spreads {
		least = min(least, spread)
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
		value: firstLevel(y, memory), memory: memory, rate: rateOf(memory), spread: spread, patience: patience,
		stride: max(patience/2/recentSample, 1), before: math.NaN(),
	}
	l.recent = make([]float64, patience/2/l.stride+1)
	for i := range l.recent {
		l.recent[i] = math.NaN()
	}
	return l
}

// firstLevel is the level at the beginning of y.
func firstLevel(y []float64, memory int) float64 {
	if first := stats.Median(y[:min(len(y), max(memory, 10))]); !math.IsNaN(first) {
		return first
	}
	return stats.Median(y)
}

func rateOf(memory int) float64 { return 1 - math.Exp(-1/float64(memory)) }

// residualSpreads are the robust spreads of one-step residuals under each memory,
// the gate set from a first pass without one. All levels follow side by side, since
// each step of one waits for the step before.
func residualSpreads(y []float64, memories []int) []float64 {
	type follower struct {
		value, rate, gate, frozen float64
		from, observed            int
		residual                  []float64
	}
	stride := 1 + len(y)/2/spreadSample
	spreads := slices.Repeat([]float64{math.Inf(1)}, len(memories))
	all := make([]follower, len(memories))
	for range 2 {
		for k, memory := range memories {
			all[k] = follower{
				value: firstLevel(y, memory), rate: rateOf(memory), gate: gateAt * spreads[k], frozen: frozenAt * spreads[k],
				from: min(memory, len(y)/2), residual: make([]float64, 0, 2*spreadSample),
			}
		}
		for i, v := range y {
			for k := range all {
				f := &all[k]
				e := v - f.value
				if i >= f.from && !math.IsNaN(v) { // missing points may come as regularly as sampled ones
					if f.observed%stride == 0 {
						f.residual = append(f.residual, e)
					}
					f.observed++
				}
				if size := math.Abs(e); size <= f.frozen { // NaN is not
					f.value += f.rate * math.Copysign(min(size, f.gate), e)
				}
			}
		}
		for k := range all {
			if len(all[k].residual) > 0 {
				spreads[k] = stats.Spread(all[k].residual)
			}
		}
	}
	return spreads
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
