package forecast

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast/linear"
	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
)

// eventsOf gives the regressors of the request's events at a point of the
// averaged history of n points: one per name, the share of the point's time
// that the event takes. Nil without events.
func eventsOf(r Request, n, factor int) func(t int) []float64 {
	if len(r.Events) == 0 {
		return nil
	}
	step := time.Duration(factor) * r.History.Step
	start := r.History.Time(r.History.Len()).Add(-time.Duration(n) * step)
	byName := map[string][]Event{}
	for _, e := range r.Events {
		if !e.End.After(e.Start) {
			e.End = e.Start.Add(r.History.Step)
		}
		byName[e.Name] = append(byName[e.Name], e)
	}
	names := slices.Sorted(maps.Keys(byName))
	return func(t int) []float64 {
		from := start.Add(time.Duration(t) * step)
		row := make([]float64, len(names))
		for i, name := range names {
			for _, e := range byName[name] {
				row[i] += max(min(e.End.Sub(from), step)-max(e.Start.Sub(from), 0), 0).Seconds() / step.Seconds()
			}
		}
		return row
	}
}

// WithEvents takes the effect of events off the values, leaves the rest to
// another model, and adds the effect of the events to come. The effects are
// least squares on what the seasons and a local level leave over.
type WithEvents struct {
	Model      Model
	Periods    []int
	Regressors func(t int) []float64
}

// Name of the model.
func (m WithEvents) Name() string { return m.Model.Name() }

// LongestPeriod is the longest season that the model fits, in steps.
func (m WithEvents) LongestPeriod() int { return model.Season(m.Model) }

// Costly says whether fitting takes long.
func (m WithEvents) Costly() bool { return model.IsCostly(m.Model) }

// Fit estimates the effects, then the model.
func (m WithEvents) Fit(y []float64) (Fitted, error) {
	rest := series.FromCenter(y, m.Periods)
	columns := make([][]float64, len(m.Regressors(0)))
	for t := range y {
		for i, v := range m.Regressors(t) {
			columns[i] = append(columns[i], v)
		}
	}
	effects, ok := linear.LeastSquares(rest, columns, nil)
	if !ok {
		return nil, fmt.Errorf("%w: the events depend on each other", ErrNoModel)
	}
	fit := &eventsFit{regressors: m.Regressors, effects: effects, now: len(y)}
	without := make([]float64, len(y))
	for t, v := range y {
		without[t] = v - fit.effect(t)
	}
	fitted, err := m.Model.Fit(without)
	fit.Fitted = fitted
	return fit, err
}

type eventsFit struct {
	Fitted
	regressors func(t int) []float64
	effects    []float64
	now        int
}

func (f *eventsFit) effect(t int) float64 { return linear.Dot(f.effects, f.regressors(t)) }

func (f *eventsFit) Observe(v float64) {
	f.Fitted.Observe(v - f.effect(f.now))
	f.now++
}

func (f *eventsFit) Forecast(horizon int) []float64 {
	mean := f.Fitted.Forecast(horizon)
	for h := range mean {
		mean[h] += f.effect(f.now + h)
	}
	return mean
}
