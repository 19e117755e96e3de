package detector

import (
	"math"
	"time"
)

// ewmaMemory is long enough to see what single points hide, short enough to be
// early.
const (
	ewmaMemory       = 30 * time.Minute
	ewmaFewestPoints = 6
)

// EWMA is the exponentially weighted moving average of the deviations (Roberts,
// Technometrics 1, 1959). Single deviations count at most cusumClip.
type EWMA struct{}

// Name implements Detector.
func (EWMA) Name() string { return "ewma" }

// Learn implements Detector.
func (EWMA) Learn(past Input) Watcher {
	return &average{rate: 1 - math.Exp(-1/float64(past.points(ewmaMemory, ewmaFewestPoints)))}
}

type average struct {
	rate, level float64
	missing     bool
}

func (a *average) Observe(_, residual float64) {
	if a.missing = math.IsNaN(residual); !a.missing {
		a.level += a.rate * (min(max(residual, -cusumClip), cusumClip) - a.level)
	}
}

func (a *average) Score() float64 {
	if a.missing {
		return math.NaN()
	}
	return a.level
}

func (a *average) restart() { a.level = 0 }

func (a *average) Clone() Watcher {
	c := *a
	return &c
}
