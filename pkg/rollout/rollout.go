// Package rollout plans progressive deliveries: how long to stay at which share of
// the traffic so that a bad candidate is found before it harms many requests. What
// a schedule finds is simulated with the verdict that judges the real rollout.
package rollout

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
)

// Service holds the measurements of a service before the rollout.
type Service struct {
	// Requests are those expected in each period from the start on. The last counts
	// for all later ones.
	Requests []float64
	// Period is the length of a period, and the time between two verdicts.
	Period time.Duration
	// Bad is the share of requests, 0–1, that go wrong now.
	Bad float64
	// Pods is how many serve now; 0 where metrics do not distinguish pods.
	Pods int
	// Signal is what the verdict will count, without its counts: margin, start,
	// spread and noise.
	Signal canary.Signal
	// Signals is how many signals share the verdict's error. Default 1.
	Signals int
	// Alpha is that error. Default 0.01.
	Alpha float64
}

// Promise is what a schedule must keep.
type Promise struct {
	// Ratio is how many times as often requests of a bad candidate go wrong; above
	// 1. Worse candidates must be found as well.
	Ratio float64
	// Probability is that of finding it in time, 0–1.
	Probability float64
	// MaxHarmed is how many requests may go wrong because of the candidate before it
	// is found; 0 for no limit.
	MaxHarmed float64
	// From is the first weight, and MaxWeight the highest at which the candidate may
	// still be unknown, both shares of the traffic, 0–1.
	From, MaxWeight float64
	// MinPause is the shortest stay at a weight, MaxDuration the longest rollout.
	MinPause, MaxDuration time.Duration
}

// Step is a stay at one weight.
type Step struct {
	Weight float64
	Pause  time.Duration
	// Requests are those that the candidate is expected to serve during the step.
	Requests float64
	// Power is the probability of having found the bad candidate by the end of the
	// step.
	Power float64
	// Harmed is how many requests the bad candidate has harmed by then on average,
	// rolled back as soon as it is found.
	Harmed float64
}

// Plan is a schedule with what it promises.
type Plan struct {
	Steps []Step
	// Interval is the time between two verdicts.
	Interval time.Duration
	// Found is the probability of finding a candidate that is bad by the ratio;
	// InTime that of finding it, or the worse one that is hardest to keep within
	// the limit, before more than the limit of requests are harmed.
	Found, InTime float64
	// HarmedAtMost is the number of requests that are harmed at most, with the
	// promised probability.
	HarmedAtMost float64
	// Relax says what to change where no schedule keeps the promise; empty where
	// this one does.
	Relax []Relaxation
}

// Kept says that the plan keeps the promise.
func (p Plan) Kept() bool { return len(p.Relax) == 0 && len(p.Steps) > 0 }

// Duration is that of the whole rollout.
func (p Plan) Duration() (total time.Duration) {
	for _, s := range p.Steps {
		total += s.Pause
	}
	return total
}

// Constraint is a part of a promise.
type Constraint string

// The constraints that can be relaxed.
const (
	MaxHarmed   Constraint = "maxHarmed"
	Ratio       Constraint = "ratio"
	Probability Constraint = "probability"
	MaxDuration Constraint = "maxDuration"
	Margin      Constraint = "margin"
)

// Relaxation is one change that would let a promise be kept, the others left as
// they are: requests, a ratio, a share, or seconds.
type Relaxation struct {
	Constraint    Constraint
	Given, Needed float64
}

// ladder are the usual weights of a rollout.
var ladder = []float64{0.01, 0.02, 0.05, 0.1, 0.25, 0.5}

// weights are the first weight and those of the ladder above it.
func (p Promise) weights() []float64 {
	weights := []float64{p.From}
	for _, w := range ladder {
		if w > p.From {
			weights = append(weights, w)
		}
	}
	return weights
}

// periods is how many periods a time takes, rounded up.
func (s Service) periods(d time.Duration) int { return int((d + s.Period - 1) / s.Period) }

func (s Service) requests(period int) float64 {
	if len(s.Requests) == 0 {
		return 0
	}
	return s.Requests[min(period, len(s.Requests)-1)]
}

func (s Service) alpha() float64 {
	if s.Alpha > 0 && s.Alpha < 1 {
		return s.Alpha
	}
	return 0.01
}
