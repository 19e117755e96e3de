package forecast

import (
	"math"

	"gonum.org/v1/gonum/optimize"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Theta is the dynamic optimised theta model for data without a season
// (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler, "Models for
// optimising the theta method and their relationship to state space models",
// International Journal of Forecasting 32, 2016, section 3): simple smoothing
// pulled towards a line that is fitted anew at every point. Theta, the smoothing
// and the first level minimise the squared one-step errors.
type Theta struct{}

// Name of the model.
func (Theta) Name() string { return "theta" }

const (
	fewestForTheta   = 10
	thetaEvaluations = 40
	mostTheta        = 20.0
)

// Fit needs ten observations.
func (Theta) Fit(y []float64) (Fitted, error) {
	observed := stats.Observed(y)
	if len(observed) < fewestForTheta {
		return nil, model.ShortHistory(len(observed), fewestForTheta, "the theta model")
	}
	first, spread := observed[0], stats.Spread(observed)
	at := func(x []float64) *thetaFit {
		return &thetaFit{
			alpha: 0.05 + 0.94*logistic(x[0]), theta: 1 + (mostTheta-1)*logistic(x[1]), level: first + x[2]*spread,
		}
	}
	loss := func(x []float64) float64 { return at(x).run(y) }
	start := []float64{0, logit(1 / (mostTheta - 1)), 0}
	result, _ := optimize.Minimize(optimize.Problem{Func: loss}, start,
		&optimize.Settings{FuncEvaluations: thetaEvaluations}, &optimize.NelderMead{SimplexSize: 0.5})
	if result != nil && result.F <= loss(start) {
		start = result.X
	}
	fit := at(start)
	fit.run(y)
	return fit, nil
}

type thetaFit struct {
	alpha, theta float64
	level        float64
	n            float64 // observations so far
	mean         float64 // of them
	intercept    float64 // A and B of the paper: the line through them
	slope        float64
	decay        float64 // (1−alpha)ⁿ
}

// next is the forecast of the next observation.
func (f *thetaFit) next() float64 {
	if f.n == 0 {
		return f.level
	}
	pull := f.decay*f.intercept + (1-f.decay*(1-f.alpha))/f.alpha*f.slope
	return f.level + (1-1/f.theta)*pull
}

func (f *thetaFit) step(v float64) float64 {
	expected := f.next()
	e := v - expected
	if math.IsNaN(v) {
		v = expected
	}
	if f.n == 0 {
		f.decay = 1
	}
	f.n++
	if f.n > 1 {
		f.slope = ((f.n-2)*f.slope + 6/f.n*(v-f.mean)) / (f.n + 1)
	}
	f.mean += (v - f.mean) / f.n
	f.intercept = f.mean - (f.n+1)/2*f.slope
	f.level += f.alpha * (v - f.level)
	f.decay *= 1 - f.alpha
	return e
}

func (f *thetaFit) run(y []float64) float64 {
	sum := 0.0
	for _, v := range y {
		if e := f.step(v); !math.IsNaN(e) && f.n > 1 {
			sum += e * e
		}
	}
	return sum
}

func (f *thetaFit) Observe(v float64) { f.step(v) }

func (f *thetaFit) Forecast(horizon int) []float64 {
	ahead := *f
	mean := make([]float64, horizon)
	for h := range mean {
		mean[h] = ahead.next()
		ahead.step(mean[h])
	}
	return mean
}

func (f *thetaFit) Parameters() map[string]float64 {
	return map[string]float64{"alpha": f.alpha, "theta": f.theta, "level": f.level, "slope": f.slope}
}

func logit(p float64) float64    { return math.Log(p / (1 - p)) }
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
