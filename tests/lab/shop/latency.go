package shop

import (
	"math"
	"math/rand/v2"
	"time"
)

// latency is a lognormal distribution of durations.
type latency struct {
	median time.Duration
	sigma  float64 // standard deviation of the logarithm
}

func (l latency) draw(random *rand.Rand) time.Duration {
	return time.Duration(float64(l.median) * math.Exp(l.sigma*random.NormFloat64()))
}

// network is one way between two services.
var network = latency{250 * time.Microsecond, 0.4}

// scaled stretches a duration.
func scaled(d time.Duration, factor float64) time.Duration {
	return time.Duration(float64(d) * factor)
}
