package breach

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/anomaly"
)

// A warning begins where the probability reaches warns, and ends where it falls
// below clears: the hysteresis of the provisioned rules.
const (
	warns  = 0.8
	clears = 0.5
)

// Current is the probability of the newest recent point, NaN for none.
func (r Result) Current() float64 { return anomaly.Latest(r.Probability) }

// Firing is 1 while a warning goes on at the newest recent point, 0 where none
// does, and NaN where nothing recent is known.
func (r Result) Firing() float64 {
	if math.IsNaN(r.Current()) {
		return math.NaN()
	}
	state := 0.0
	for _, p := range r.Probability {
		switch {
		case p >= warns:
			state = 1
		case p < clears:
			state = 0
		}
	}
	return state
}
