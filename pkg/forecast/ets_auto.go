package forecast

import (
	"errors"
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// AutoETS chooses among the ETS models without infinite variance or
// multiplicative trend by AICc, as R's forecast::ets does by default.
type AutoETS struct{ Period int } // 0 or 1 for no season

// Name of the model.
func (AutoETS) Name() string { return "ets" }

func (m AutoETS) season() int { return m.Period }

// costly says that every admissible model is fitted.
func (AutoETS) costly() bool { return true }

// Fit fits every admissible model.
func (m AutoETS) Fit(y []float64) (Fitted, error) {
	n := len(stats.Observed(y))
	var best *etsState
	var failures []error
	least := math.Inf(1)
	for _, candidate := range m.candidates() {
		fitted, err := candidate.Fit(y)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		state := fitted.(*etsState)
		if criterion := state.aicc(n); best == nil || criterion < least {
			best, least = state, criterion
		}
	}
	if best == nil {
		return nil, errors.Join(failures...)
	}
	return best, nil
}

func (m AutoETS) candidates() []ETS {
	seasons := []Component{None}
	if m.Period > 1 {
		seasons = append(seasons, Additive, Multiplicative)
	}
	var candidates []ETS
	for _, errorKind := range []Component{Additive, Multiplicative} {
		for _, season := range seasons {
			if errorKind == Additive && season == Multiplicative {
				continue // infinite variance
			}
			for _, trend := range []struct {
				kind   Component
				damped bool
			}{{None, false}, {Additive, false}, {Additive, true}} {
				candidates = append(candidates, ETS{
					Error: errorKind, Trend: trend.kind, Damped: trend.damped, Season: season, Period: m.Period,
				})
			}
		}
	}
	return candidates
}
