package forecast

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Decomposed takes the seasons off by MSTL with robust weights, forecasts what
// is left with another model, and puts the last cycle of each season back
// (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.7).
type Decomposed struct {
	Title   string
	Periods []int
	Rest    Model // of the seasonally adjusted series
	known   *decompositions
}

// Name of the model.
func (m Decomposed) Name() string { return m.Title }

// LongestPeriod is the longest season that the model fits, in steps.
func (m Decomposed) LongestPeriod() int {
	if len(m.Periods) == 0 {
		return 0
	}
	return m.Periods[len(m.Periods)-1]
}

// Costly says whether fitting takes long.
func (m Decomposed) Costly() bool { return model.IsCostly(m.Rest) }

// Fit needs two cycles of the shortest period.
func (m Decomposed) Fit(y []float64) (Fitted, error) {
	if len(m.Periods) == 0 {
		return m.Rest.Fit(y)
	}
	filled := series.Filled(y, m.Periods)
	if filled == nil || 2*m.Periods[0] > len(y) {
		return nil, model.ShortHistory(len(stats.Observed(y)), 2*m.Periods[0], m.Title)
	}
	d, err := m.known.decompose(y, filled, m.Periods)
	if err != nil {
		return nil, err
	}
	fit := &decomposedFit{}
	adjusted := slices.Clone(y)
	for i, season := range d.Seasons {
		for j, v := range season {
			adjusted[j] -= v
		}
		fit.seasons = append(fit.seasons, slices.Clone(season[len(season)-m.Periods[i]:]))
	}
	if fit.rest, err = m.Rest.Fit(adjusted); err != nil {
		return nil, err
	}
	return fit, nil
}

// decompositions are those that models of one question share.
type decompositions struct{ done []decomposition }

type decomposition struct {
	y       []float64
	periods []int
	result  series.Decomposition
}

// decompose takes the seasons off y, whose missing values are filled in filled,
// or remembers that it did. What is returned must not be changed.
func (k *decompositions) decompose(y, filled []float64, periods []int) (series.Decomposition, error) {
	same := func(a, b float64) bool { return a == b || (math.IsNaN(a) && math.IsNaN(b)) }
	if k != nil {
		for _, d := range k.done {
			if slices.Equal(d.periods, periods) && slices.EqualFunc(d.y, y, same) {
				return d.result, nil
			}
		}
	}
	var weights []float64
	if slices.ContainsFunc(y, math.IsNaN) {
		weights = make([]float64, len(y))
		for i, v := range y {
			if !math.IsNaN(v) {
				weights[i] = 1
			}
		}
	}
	result, err := series.MSTL(filled, weights, periods, series.STL{
		TrendDegree: 1, LowPassDegree: 1, Outer: 1, Inner: 1, Sparse: true,
	})
	if err == nil && k != nil {
		k.done = append(k.done, decomposition{slices.Clone(y), periods, result})
	}
	return result, err
}

type decomposedFit struct {
	seasons [][]float64 // the last cycle of each, oldest first
	at      int         // points observed since
	rest    Fitted
}

func (f *decomposedFit) season(h int) float64 {
	sum := 0.0
	for _, season := range f.seasons {
		sum += season[(f.at+h)%len(season)]
	}
	return sum
}

func (f *decomposedFit) Observe(v float64) {
	f.rest.Observe(v - f.season(0))
	f.at++
}

func (f *decomposedFit) Forecast(horizon int) []float64 {
	mean := f.rest.Forecast(horizon)
	for h := range mean {
		mean[h] += f.season(h)
	}
	return mean
}

func (f *decomposedFit) Parameters() map[string]float64 { return f.rest.Parameters() }
