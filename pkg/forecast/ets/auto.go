// Package ets fits models of exponential smoothing and chooses among them.
package ets

import (
	"errors"
	"math"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Auto chooses among the ETS models without infinite variance or
// multiplicative trend by AICc, as R's forecast::ets does by default.
type Auto struct{ Period int } // 0 or 1 for no season

// Name of the model.
func (Auto) Name() string { return "ets" }

// LongestPeriod is the longest season that the model fits, in steps.
func (m Auto) LongestPeriod() int { return m.Period }

// Costly says that every admissible model is fitted.
func (Auto) Costly() bool { return true }

// Fit fits every admissible model.
func (m Auto) Fit(y []float64) (model.Fitted, error) {
	n := len(stats.Observed(y))
	var best *state
	var failures []error
	least := math.Inf(1)
	for _, candidate := range m.candidates() {
		fitted, err := candidate.Fit(y)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		state := fitted.(*state)
		if criterion := state.aicc(n); best == nil || criterion < least {
			best, least = state, criterion
		}
	}
	if best == nil {
		return nil, errors.Join(failures...)
	}
	return best, nil
}

func (m Auto) candidates() []Model {
	seasons := []Component{None}
	if m.Period > 1 {
		seasons = append(seasons, Additive, Multiplicative)
	}
	var candidates []Model
	for _, errorKind := range []Component{Additive, Multiplicative} {
		for _, season := range seasons {
			if errorKind == Additive && season == Multiplicative {
				continue // infinite variance
			}
			for _, trend := range []struct {
				kind   Component
				damped bool
			}{{None, false}, {Additive, false}, {Additive, true}} {
				candidates = append(candidates, Model{
					Error: errorKind, Trend: trend.kind, Damped: trend.damped, Season: season, Period: m.Period,
				})
			}
		}
	}
	return candidates
}
