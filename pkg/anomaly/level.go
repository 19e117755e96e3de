package anomaly

import (
	"math"
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
	shiftAfter    = 6 * time.Hour
	fewestShifted = 30 // points
)

// memories are the time constants of the level to choose from.
var memories = []time.Duration{24 * time.Hour, 6 * time.Hour, 90 * time.Minute, 20 * time.Minute}

const (
	shortestMemory = 4     // points
	spreadSample   = 1_000 // residuals are enough to compare spreads
)

type levelPath struct {
	path   []float64 // the level before each point was seen
	shifts []shift
}

// shift is a lasting change of level.
type shift struct {
	at int     // the point at which it was accepted
	by float64 // from the old level to the new one
}

// followLevel tracks the level of y by exponential smoothing with the longest
// memory (in points) that the first learn points allow.
func followLevel(y []float64, learn int, step time.Duration) (memory int, level levelPath) {
	candidates := []int{}
	for _, m := range memories {
		if points := int(m / step); points > shortestMemory && 4*points <= learn {
			candidates = append(candidates, points)
		}
	}
	candidates = append(candidates, shortestMemory)
	patience := max(int(shiftAfter/step), fewestShifted)
	spreads := make([]float64, len(candidates))
	least := math.Inf(1)
	for i, m := range candidates {
		spreads[i] = residualSpread(y[:learn], m)
		least = min(least, spreads[i])
	}
	for i, m := range candidates {
		if spreads[i] <= tolerated*least {
			return m, smooth(y, m, spreads[i], patience)
		}
	}
	return shortestMemory, smooth(y, shortestMemory, least, patience)
}

// residualSpread is the robust spread of one-step residuals under a memory, the
// gate set from a first pass without one.
func residualSpread(y []float64, memory int) float64 {
	spread := math.Inf(1)
	for range 2 {
		path := smooth(y, memory, spread, len(y)).path
		residual := make([]float64, 0, 2*spreadSample)
		for i := min(memory, len(y)/2); i < len(y); i += 1 + len(y)/2/spreadSample {
			residual = append(residual, y[i]-path[i])
		}
		spread = stats.Spread(residual)
	}
	return spread
}

// smooth runs the gated level over y. A deviation that lasts patience points
// and has become steady is a level shift: the level moves to it.
func smooth(y []float64, memory int, spread float64, patience int) levelPath {
	result := levelPath{path: make([]float64, len(y))}
	level := stats.Median(y[:min(len(y), max(memory, 10))])
	if math.IsNaN(level) {
		level = stats.Median(y)
	}
	rate := 1 - math.Exp(-1/float64(memory))
	outside := 0 // leaky count of points beyond the gate on one side
	for i, v := range y {
		result.path[i] = level
		e := v - level
		if math.IsNaN(e) {
			continue
		}
		size := math.Abs(e)
		if size > frozenAt*spread {
			outside++
		} else {
			level += rate * math.Copysign(min(size, gateAt*spread), e)
			outside = max(outside-2, 0)
		}
		if outside < patience {
			continue
		}
		outside = 0
		recent := y[max(i-patience/2, 0) : i+1]
		if center := stats.Median(recent); stats.Spread(recent) <= frozenAt*spread {
			result.shifts = append(result.shifts, shift{i, center - level})
			level = center
		}
	}
	return result
}
