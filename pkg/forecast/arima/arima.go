// Package arima fits ARIMA models and chooses their orders.
package arima

import (
	"fmt"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Model is a seasonal autoregressive integrated moving average with a mean or
// drift and, where given, regressors (Box and Jenkins; Hyndman and
// Athanasopoulos, Forecasting: Principles and Practice, chapters 9 and 10). Fit
// starts from conditional least squares and maximises the exact likelihood.
type Model struct {
	P, D, Q    int
	SP, SD, SQ int // seasonal orders
	Period     int
	// Constant adds a mean, or with one difference a drift.
	Constant bool
	// Regressors gives the regressors at point t, counted from the first of the
	// history; nil for none.
	Regressors func(t int) []float64
	// Approximate stops after conditional least squares.
	Approximate bool
}

// Name of the model, as "arima(2,1,1)(0,1,0)[12]".
func (m Model) Name() string {
	name := fmt.Sprintf("arima(%d,%d,%d)", m.P, m.D, m.Q)
	if m.seasonal() {
		name += fmt.Sprintf("(%d,%d,%d)[%d]", m.SP, m.SD, m.SQ, m.Period)
	}
	if m.Regressors != nil {
		name = "regression with " + name
	}
	return name
}

func (m Model) seasonal() bool { return m.SP+m.SD+m.SQ > 0 }

// LongestPeriod is the longest season that the model fits, in steps.
func (m Model) LongestPeriod() int {
	if m.seasonal() || m.Regressors != nil {
		return m.Period
	}
	return 0
}

// columns are the regressors and the constant at point t.
func (m Model) columns(t int) []float64 {
	var row []float64
	if m.Constant {
		// After one difference a line is a constant, after none a one is.
		row = append(row, math.Pow(float64(t+1), float64(m.D+m.SD)))
	}
	if m.Regressors != nil {
		row = append(row, m.Regressors(t)...)
	}
	return row
}

// minPerParameter is how many points a parameter needs.
const minPerParameter = 3

// Fit needs three points more than differencing takes for each parameter.
func (m Model) Fit(y []float64) (model.Fitted, error) {
	parameters := m.P + m.Q + m.SP + m.SQ + len(m.columns(0)) + 1
	lost := m.D + m.SD*m.Period
	observed := len(stats.Observed(y))
	if need := lost + minPerParameter*parameters; observed < need {
		return nil, model.ShortHistory(observed, need, m.Name())
	}
	r := newRegression(m, y)
	fit := &fit{Model: m, parameters: parameters, n: len(y)}
	if err := fit.estimate(r); err != nil {
		return nil, err
	}
	fit.prepare(y)
	return fit, nil
}

// fit is a fitted model with what forecasting needs of the past.
type fit struct {
	Model
	parameters             int
	numbers                []float64 // as the optimiser sees them
	ar, ma, seasAR, seasMA []float64
	phi, theta             polynomial // phi with the differences
	weights                []float64  // of the columns
	sigma2, likelihood     float64
	used                   int // points of the likelihood
	n                      int // points seen
	past                   []float64
	shocks                 []float64
}

// set maps unbounded numbers to stationary, invertible coefficients.
func (f *fit) set(x []float64) {
	take := func(n int) []float64 {
		part := fromPartials(x[:n])
		x = x[n:]
		return part
	}
	f.ar, f.ma, f.seasAR, f.seasMA = take(f.P), take(f.Q), take(f.SP), take(f.SQ)
	for _, ma := range [][]float64{f.ma, f.seasMA} {
		for i := range ma {
			ma[i] = -ma[i] // θ(B) = 1 + …, invertible as an autoregression is stationary
		}
	}
}

// polynomials are φ(B)Φ(Bᵐ) and θ(B)Θ(Bᵐ).
func (f *fit) polynomials() (phi, theta polynomial) {
	period := max(f.Period, 1)
	return lagged(f.ar, 1, -1).times(lagged(f.seasAR, period, -1)), lagged(f.ma, 1, 1).times(lagged(f.seasMA, period, 1))
}

// prepare keeps what forecasting needs: the last values less regression, and
// the last shocks.
func (f *fit) prepare(y []float64) {
	phi, theta := f.polynomials()
	f.phi, f.theta = phi.times(differencing(f.D, f.SD, f.Period)), theta
	f.past = make([]float64, len(f.phi)-1)
	f.shocks = make([]float64, len(f.theta)-1)
	f.n = 0
	first := true
	for t, v := range y {
		if first && !math.IsNaN(v) {
			// Before the first observation lay what it says.
			for i := range f.past {
				f.past[i] = v - f.regressionAt(t)
			}
			first = false
		}
		f.Observe(v)
		if t < len(f.phi)-1 {
			clear(f.shocks) // differences that reach before the beginning say nothing
		}
	}
}

func (f *fit) regressionAt(t int) float64 {
	sum := 0.0
	for i, v := range f.columns(t) {
		sum += f.weights[i] * v
	}
	return sum
}

// next is the expected value less regression; past and shocks latest last.
func (f *fit) next(past, shocks []float64) float64 {
	sum := 0.0
	for i, c := range f.phi[1:] {
		if c != 0 {
			sum -= c * past[len(past)-1-i]
		}
	}
	for i, c := range f.theta[1:] {
		if c != 0 {
			sum += c * shocks[len(shocks)-1-i]
		}
	}
	return sum
}

func (f *fit) Observe(v float64) {
	expected := f.next(f.past, f.shocks)
	value := v - f.regressionAt(f.n)
	f.n++
	shock := value - expected
	if math.IsNaN(v) {
		value, shock = expected, 0
	}
	if len(f.past) > 0 {
		f.past = append(f.past, value)[1:]
	}
	if len(f.shocks) > 0 {
		f.shocks = append(f.shocks, shock)[1:]
	}
}

func (f *fit) Forecast(horizon int) []float64 {
	past, shocks := slices.Clone(f.past), slices.Clone(f.shocks)
	mean := make([]float64, horizon)
	for h := range mean {
		v := f.next(past, shocks)
		past, shocks = append(past, v), append(shocks, 0)
		mean[h] = v + f.regressionAt(f.n+h)
	}
	return mean
}

func (f *fit) Parameters() map[string]float64 {
	p := map[string]float64{"sigma2": f.sigma2, "log_likelihood": f.likelihood}
	for name, coefficients := range map[string][]float64{"ar": f.ar, "ma": f.ma, "seasonal_ar": f.seasAR, "seasonal_ma": f.seasMA} {
		for i, c := range coefficients {
			p[fmt.Sprintf("%s%d", name, i+1)] = c
		}
	}
	if f.Constant {
		name := "mean"
		if f.D+f.SD > 0 {
			name = "drift"
		}
		p[name] = f.weights[0]
	}
	return p
}

// aicc is Akaike's criterion corrected for short series.
func (f *fit) aicc() float64 {
	k, n := float64(f.parameters), float64(f.used)
	if n-k-1 <= 0 || math.IsNaN(f.likelihood) {
		return math.Inf(1)
	}
	return -2*f.likelihood + 2*k + 2*k*(k+1)/(n-k-1)
}
