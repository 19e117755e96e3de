// Package detector holds the methods that say how unusual a point is, one file
// each, behind one small interface, and what turns their measures into
// comparable probabilities.
package detector

import (
	"math"
	"time"
)

// Input is the past that detectors learn from. The slices have one value per
// point of the grid, NaN where missing.
type Input struct {
	Value    []float64 // the observations
	Residual []float64 // what the expectation leaves over, in usual deviations
	Step     time.Duration
	// Resolution is the least deviation that there can be in discrete data; zero
	// in continuous ones.
	Resolution float64
	Shifts     []int // points after which a new level was accepted, ascending
}

// points is a duration in steps of the grid, at least least.
func (in Input) points(d time.Duration, least int) int { return max(int(d/in.Step), least) }

// Detector measures how unusual points are.
type Detector interface {
	Name() string
	// Learn is the detector at work on one series, its parameters learned from
	// the past. It has observed nothing yet: the past is observed like all else.
	Learn(past Input) Watcher
}

// Watcher follows one series point by point, in memory that does not grow.
type Watcher interface {
	// Observe takes in the next point: the observation, and what the expectation
	// leaves over; both NaN where it is missing.
	Observe(value, residual float64)
	// Score is the detector's own measure of the point observed last: the
	// further from zero the more unusual, negative where the point lies low, NaN
	// where nothing can be said.
	Score() float64
	// Clone is a watcher in the same state that goes on by itself.
	Clone() Watcher
}

// Exact is a watcher that knows how probable its newest score is, and needs no
// calibration.
type Exact interface {
	Probability() float64
}

// Sided tells whether a detector's scores say on which side a point lies. Those
// that look at shapes do not.
func Sided(d Detector) bool {
	_, sideless := d.(interface{ sideless() })
	return !sideless
}

// LooksAtOnePoint tells whether a detector judges the newest point by itself, and
// not what several have in common.
func LooksAtOnePoint(d Detector) bool {
	switch d.(type) {
	case ZScore, Median, ESD, SPOT, Polynomial, Recent:
		return true
	}
	return false
}

// NeedsNoDay tells whether a detector compares neighbouring points alone, so
// that it needs not know what a whole day is like.
func NeedsNoDay(d Detector) bool {
	_, alone := d.(interface{ neighbours() })
	return alone
}

// calibrating is how many of the last points that teach a costly detector is
// calibrated with.
const calibrating = 2_000

// beyond is how many times rarer than one in all the points it was calibrated
// with a score may be called.
const beyond = 5

// MinProbability is the smallest that a detector may give: one that was
// calibrated with few points cannot know how rare the rarest are, and does not
// raise an alarm by itself.
func MinProbability(d Detector) float64 {
	if _, costly := d.(interface{ costly() }); costly {
		return 1.0 / (beyond * calibrating)
	}
	return math.SmallestNonzeroFloat64
}

// Past lets a watcher observe the past and gives its scores there, NaN for those
// that a costly detector is not calibrated with.
func Past(d Detector, w Watcher, past Input) []float64 {
	scores := make([]float64, len(past.Residual))
	first := 0
	if _, costly := d.(interface{ costly() }); costly {
		first = len(scores) - calibrating
	}
	shifts := past.Shifts
	for i := range scores {
		w.Observe(past.Value[i], past.Residual[i])
		scores[i] = math.NaN()
		if i >= first {
			scores[i] = w.Score()
		}
		if len(shifts) > 0 && shifts[0] == i {
			Shifted(w)
			shifts = shifts[1:]
		}
	}
	return scores
}

// Shifted tells a watcher that a new level was accepted after the point observed
// last: what had added up against the old one is void.
func Shifted(w Watcher) {
	if adds, ok := w.(interface{ restart() }); ok {
		adds.restart()
	}
}
