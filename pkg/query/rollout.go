package query

import (
	"cmp"
	"fmt"
	"time"
)

// TypeRollout asks for the schedule of a rollout.
const TypeRollout Type = "rollout"

// The defaults of a rollout.
const (
	DefaultRatio       = 3
	DefaultFound       = 0.95
	DefaultMaxHarmed   = 1000
	DefaultFrom        = 0.01
	DefaultMaxWeight   = 0.5
	DefaultMinPause    = Duration(5 * time.Minute)
	DefaultMaxDuration = Duration(6 * time.Hour)
)

// Rollout asks for the fastest schedule of weights and pauses with which a bad
// version is found before it harms too many requests, for the load that is forecast
// from the end of the window on.
type Rollout struct {
	Common
	// Service is the service.name.
	Service string `json:"service" jsonschema:"minLength=1"`
	// Ratio is how many times as many requests of a bad version fail. Default 3.
	Ratio float64 `json:"ratio,omitempty"`
	// Slowdown is how many times as long requests of a bad version take; with it,
	// the schedule is for finding this and not errors. Default: errors.
	Slowdown float64 `json:"slowdown,omitempty"`
	// Probability of finding the bad version in time. Default 0.95.
	Probability float64 `json:"probability,omitempty"`
	// MaxHarmed is how many requests may fail, or be slow, because of the bad version
	// before it is found. Default 1000.
	MaxHarmed float64 `json:"maxHarmed,omitempty"`
	// From is the first weight, a share of the requests in whole percent. Default
	// 0.01.
	From float64 `json:"from,omitempty"`
	// MaxWeight is the highest weight at which a bad version may still be unknown.
	// Default 0.5.
	MaxWeight float64 `json:"maxWeight,omitempty"`
	// MinPause is the shortest stay at a weight. Default 5m.
	MinPause Duration `json:"minPause,omitempty"`
	// MaxDuration is that of the whole rollout. Default 6h.
	MaxDuration Duration `json:"maxDuration,omitempty"`
	// Margin is the rise in the share of errors, 0 to 1, that a verdict accepts.
	// Default 0.001.
	Margin float64 `json:"margin,omitempty"`
	// History is how far back the forecast learns from. Default 14d.
	History Duration `json:"history,omitempty"`
}

// Type implements Query.
func (Rollout) Type() Type { return TypeRollout }

// WithDefaults fills in what was not asked for.
func (q Rollout) WithDefaults() Rollout {
	q.Common = q.withDefaults()
	q.Ratio = cmp.Or(q.Ratio, DefaultRatio)
	q.Probability = cmp.Or(q.Probability, DefaultFound)
	q.MaxHarmed = cmp.Or(q.MaxHarmed, DefaultMaxHarmed)
	q.From = cmp.Or(q.From, DefaultFrom)
	q.MaxWeight = cmp.Or(q.MaxWeight, max(DefaultMaxWeight, q.From))
	q.MinPause = cmp.Or(q.MinPause, DefaultMinPause)
	q.MaxDuration = cmp.Or(q.MaxDuration, DefaultMaxDuration)
	q.Margin = cmp.Or(q.Margin, DefaultMargin)
	q.History = cmp.Or(q.History, DefaultHistory)
	return q
}

// Validate implements Query.
func (q Rollout) Validate() error {
	return first(
		checkFormat(TypeRollout, q.Format),
		checkService(q.Service, "to roll out"),
		checkRange("ratio", q.Ratio, 1.2, 1000),
		checkSlowdown(q.Slowdown),
		checkRange("probability", q.Probability, 0.5, 0.999),
		checkRange("maxHarmed", q.MaxHarmed, 1, 1e9),
		checkWeights(q.From, q.MaxWeight),
		checkDuration("minPause", q.MinPause, time.Minute, 24*time.Hour),
		checkDuration("maxDuration", q.MaxDuration, 10*time.Minute, 7*24*time.Hour),
		checkOrder("maxDuration", q.MaxDuration, q.MinPause),
		checkMargin(q.Margin),
		checkDuration("history", q.History, minHistory, maxHistory),
	)
}

func checkSlowdown(slowdown float64) error {
	if slowdown == 0 {
		return nil
	}
	return checkRange("slowdown", slowdown, 1.1, 100)
}

// checkWeights: engines know whole percents.
func checkWeights(from, most float64) error {
	if err := first(checkRange("from", from, 0.01, 0.5), checkRange("maxWeight", most, 0.01, 0.5)); err != nil {
		return err
	}
	if percent := 100 * from; percent-float64(int(percent+0.5)) > 1e-9 || float64(int(percent+0.5))-percent > 1e-9 {
		return fmt.Errorf("from is %g; it must be a whole number of percent, as in 0.01", from)
	}
	if most < from {
		return fmt.Errorf("maxWeight is %g, less than from, %g", most, from)
	}
	return nil
}
