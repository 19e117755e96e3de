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
	minForTheta      = 10
	thetaEvaluations = 40
	maxTheta         = 20.0
)

// Fit needs ten observations.
func (Theta) Fit(y []float64) (Fitted, error) {
	observed := stats.Observed(y)
	if len(observed) < minForTheta {
		return nil, model.ShortHistory(len(observed), minForTheta, "the theta model")
	}
	first, spread := observed[0], stats.Spread(observed)
	at := func(x []float64) *thetaFit {
		return &thetaFit{
			alpha: 0.05 + 0.94*logistic(x[0]), theta: 1 + (maxTheta-1)*logistic(x[1]), level: first + x[2]*spread,
		}
	}
	lines := linesThrough(y)
	loss := func(x []float64) float64 { return at(x).errors(y, lines) }
	start := []float64{0, logit(1 / (maxTheta - 1)), 0}
	result, _ := optimize.Minimize(optimize.Problem{Func: loss}, start,
		&optimize.Settings{FuncEvaluations: thetaEvaluations}, &optimize.NelderMead{SimplexSize: 0.5})
	if result != nil && result.F <= loss(start) {
		start = result.X
	}
	fit := at(start)
	for _, v := range y {
		fit.Observe(v)
	}
	return fit, nil
}

// trendLine is the line through what was observed: A and B of the paper.
type trendLine struct {
	n                int     // observations
	mean             float64 // of them
	intercept, slope float64
}

func (l *trendLine) add(v float64) {
	l.n++
	n := float64(l.n)
	if l.n > 1 {
		l.slope = ((n-2)*l.slope + 6/n*(v-l.mean)) / (n + 1)
	}
	l.mean += (v - l.mean) / n
	l.intercept = l.mean - (n+1)/2*l.slope
}

// linesThrough are the lines through the values before each point; nil where
// some are missing, so that the lines depend on what the model puts in their
// place.
func linesThrough(y []float64) []trendLine {
	lines := make([]trendLine, len(y))
	var line trendLine
	for t, v := range y {
		if math.IsNaN(v) {
			return nil
		}
		lines[t] = line
		line.add(v)
	}
	return lines
}

type thetaFit struct {
	alpha, theta float64
	level        float64
	line         trendLine
	decay        float64 // (1−alpha)ⁿ
}

// next is the forecast of the next observation.
func (f *thetaFit) next() float64 {
	if f.line.n == 0 {
		return f.level
	}
	pull := f.decay*f.line.intercept + (1-f.decay*(1-f.alpha))/f.alpha*f.line.slope
	return f.level + (1-1/f.theta)*pull
}

// Observe takes a missing value for what was expected.
func (f *thetaFit) Observe(v float64) {
	if math.IsNaN(v) {
		v = f.next()
	}
	if f.line.n == 0 {
		f.decay = 1
	}
	f.line.add(v)
	f.level += f.alpha * (v - f.level)
	f.decay *= 1 - f.alpha
}

// errors is the sum of the squared one-step errors over y, whose lines are given
// where nothing is missing.
func (f *thetaFit) errors(y []float64, lines []trendLine) float64 {
	sum := 0.0
	if lines == nil {
		for _, v := range y {
			if e := v - f.next(); !math.IsNaN(e) && f.line.n > 0 {
				sum += e * e
			}
			f.Observe(v)
		}
		return sum
	}
	share, kept, each := 1-1/f.theta, 1-f.alpha, 1/f.alpha
	level, decay := f.level+f.alpha*(y[0]-f.level), kept
	for t, v := range y[1:] {
		line := &lines[t+1]
		e := v - level - share*(decay*line.intercept+(1-decay*kept)*each*line.slope)
		sum += e * e
		level += f.alpha * (v - level)
		decay *= kept
	}
	return sum
}

func (f *thetaFit) Forecast(horizon int) []float64 {
	ahead := *f
	mean := make([]float64, horizon)
	for h := range mean {
		mean[h] = ahead.next()
		ahead.Observe(mean[h])
	}
	return mean
}

func (f *thetaFit) Parameters() map[string]float64 {
	return map[string]float64{"alpha": f.alpha, "theta": f.theta, "level": f.level, "slope": f.line.slope}
}

func logit(p float64) float64    { return math.Log(p / (1 - p)) }
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
