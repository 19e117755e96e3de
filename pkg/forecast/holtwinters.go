package forecast

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// HoltWinters is exponential smoothing with a damped additive trend and an
// additive season (Hyndman, Koehler, Ord and Snyder, Forecasting with
// Exponential Smoothing, 2008, table 2.1: A,Ad,A). A period of 1 has no season.
// Smoothing parameters minimise the squared one-step errors; the initial season
// is the robust profile of the history.
type HoltWinters struct{ Period int }

// Name of the model.
func (m HoltWinters) Name() string {
	if m.Period > 1 {
		return "holt-winters"
	}
	return "holt"
}

func (m HoltWinters) season() int { return m.Period }

const (
	fewestForHolt       = 10
	smoothingEvaluation = 120 // likelihood passes of the optimiser
	leastDamping        = 0.8 // as R's ets
	mostDamping         = 0.98
)

// Fit needs one season, and at least ten points.
func (m HoltWinters) Fit(y []float64) (Fitted, error) {
	period := max(m.Period, 1)
	if need := max(period, fewestForHolt); len(y) < need || len(stats.Observed(y)) < fewestForHolt {
		return nil, shortHistory(len(stats.Observed(y)), need, "Holt–Winters smoothing")
	}
	initial := initialState(y, period)
	loss := func(x []float64) float64 {
		state := initial.clone()
		state.set(x)
		return state.run(y)
	}
	start := []float64{logit(0.2), logit(0.02), logit(0.05), logit(0.7)}
	result, err := optimize.Minimize(optimize.Problem{Func: loss}, start,
		&optimize.Settings{FuncEvaluations: smoothingEvaluation}, &optimize.NelderMead{})
	if result != nil && (err == nil || result.F <= loss(start)) {
		start = result.X
	}
	initial.set(start)
	initial.run(y)
	return initial, nil
}

type holtWintersFit struct {
	alpha, beta, gamma, phi float64
	level, trend            float64
	season                  []float64
	at                      int // phase of the next observation
}

func initialState(y []float64, period int) *holtWintersFit {
	fit := &holtWintersFit{season: make([]float64, period)}
	if period > 1 {
		fit.season = series.Profile(series.Detrended(y, period), period)
		fit.level = stats.Median(y[:period])
		return fit
	}
	fit.level = stats.Median(y[:min(len(y), fewestForHolt)])
	if math.IsNaN(fit.level) {
		fit.level = stats.Median(y)
	}
	return fit
}

func (f *holtWintersFit) clone() *holtWintersFit {
	c := *f
	c.season = slices.Clone(f.season)
	return &c
}

// set maps unbounded numbers to admissible smoothing parameters.
func (f *holtWintersFit) set(x []float64) {
	f.alpha = logistic(x[0])
	f.beta = f.alpha * logistic(x[1])
	f.gamma = 0
	if len(f.season) > 1 {
		f.gamma = (1 - f.alpha) * logistic(x[2])
	}
	f.phi = leastDamping + (mostDamping-leastDamping)*logistic(x[3])
}

// run takes the observations in and returns the mean squared one-step error.
func (f *holtWintersFit) run(y []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range y {
		if e := f.step(v); !math.IsNaN(e) {
			sum += e * e
			n++
		}
	}
	return sum / float64(max(n, 1))
}

func (f *holtWintersFit) step(v float64) float64 {
	base := f.level + f.phi*f.trend
	e := v - base - f.season[f.at]
	f.level, f.trend = base, f.phi*f.trend
	if !math.IsNaN(e) {
		f.level += f.alpha * e
		f.trend += f.beta * e
		f.season[f.at] += f.gamma * e
	}
	if f.at++; f.at == len(f.season) {
		f.at = 0
	}
	return e
}

func (f *holtWintersFit) Observe(v float64) { f.step(v) }

func (f *holtWintersFit) Forecast(horizon int) []float64 {
	mean := make([]float64, horizon)
	damping, rise := f.phi, 0.0
	for h := range mean {
		rise += damping * f.trend
		damping *= f.phi
		mean[h] = f.level + rise + f.season[(f.at+h)%len(f.season)]
	}
	return mean
}

func (f *holtWintersFit) Parameters() map[string]float64 {
	return map[string]float64{
		"alpha": f.alpha, "beta": f.beta, "gamma": f.gamma, "phi": f.phi,
		"level": f.level, "trend": f.trend, "period": float64(len(f.season)),
	}
}

func logit(p float64) float64    { return math.Log(p / (1 - p)) }
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
