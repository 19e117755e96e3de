package prophet

import (
	"fmt"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/forecast/linear"
	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Model is a decomposable model like Facebook's Prophet (Taylor and Letham,
// The American Statistician 72, 2018): a piecewise linear or logistic trend
// whose few changes of slope have a Laplace prior, Fourier seasons, and
// regressors for events, all estimated at once as the mode of the posterior.
type Model struct {
	Periods []int // seasons in points
	// Capacity is the ceiling of a logistic trend; 0 for a linear one.
	Capacity float64
	// Regressors gives the event regressors at point t, counted from the first
	// of the history; nil for none.
	Regressors func(t int) []float64
}

// Name of the model.
func (Model) Name() string { return "prophet" }

// LongestPeriod is the longest season that the model fits, in steps.
func (m Model) LongestPeriod() int {
	if len(m.Periods) == 0 {
		return 0
	}
	return m.Periods[len(m.Periods)-1]
}

// The defaults of Prophet.
const (
	changepoints      = 25
	changepointRange  = 0.8  // of the observed points
	changepointScale  = 0.05 // of the Laplace prior
	trendScale        = 5.0  // of the normal priors of offset and slope
	seasonScale       = 10.0 // of the normal priors of season and events
	noiseScale        = 0.5  // of the half-normal prior of the noise
	minForProphet     = 20
	seasonOrder       = 4 // Fourier pairs of the shortest season, as Prophet's day
	longerSeasonOrder = 3 // of longer ones, as Prophet's week
)

// Fit needs twenty observations.
func (m Model) Fit(y []float64) (model.Fitted, error) {
	observed := stats.Observed(y)
	if len(observed) < minForProphet {
		return nil, model.ShortHistory(len(observed), minForProphet, "the decomposable model")
	}
	fit := &fit{Model: m, n: len(y), least: slices.Min(observed), waves: prophetWaves(m.Periods)}
	fit.scale = slices.Max(observed) - fit.least
	if m.Capacity > 0 {
		if slices.Max(observed) > m.Capacity {
			return nil, fmt.Errorf("%w: values above the capacity of %v", model.ErrNoModel, m.Capacity)
		}
		fit.least, fit.scale = min(fit.least, 0), m.Capacity-min(fit.least, 0)
	}
	if fit.scale == 0 {
		fit.scale = 1
	}
	fit.placeChangepoints(y)
	if err := fit.estimate(y); err != nil {
		return nil, err
	}
	fit.now = len(y)
	return fit, nil
}

// prophetWaves are the Fourier terms of the seasons, none twice.
func prophetWaves(periods []int) linear.Fourier {
	var waves linear.Fourier
	for i, period := range periods {
		pairs := seasonOrder
		if i > 0 || period <= 7 {
			pairs = longerSeasonOrder
		}
		for harmonic := 1; harmonic <= pairs; harmonic++ {
			if 2*harmonic <= period && !waves.Has(period, harmonic) {
				waves = append(waves, linear.Wave{Period: period, Harmonic: harmonic})
			}
		}
	}
	return waves
}

type fit struct {
	Model
	n            int // points of the history
	now          int // points seen
	first, span  float64
	least, scale float64
	changes      []float64 // changepoints in scaled time
	waves        linear.Fourier
	trend        []float64 // offset, slope, changes of slope
	seasons      []float64 // weights of waves and events
	sigma        float64
}

// placeChangepoints spreads them evenly over the first observed points.
func (f *fit) placeChangepoints(y []float64) {
	var at []int
	for t, v := range y {
		if !math.IsNaN(v) {
			at = append(at, t)
		}
	}
	f.first, f.span = float64(at[0]), float64(max(at[len(at)-1]-at[0], 1))
	size := int(changepointRange * float64(len(at)))
	count := min(changepoints, size-1)
	for j := 1; j <= count; j++ {
		i := int(math.Round(float64(j) * float64(size-1) / float64(count)))
		f.changes = append(f.changes, f.time(at[i]))
	}
}

// time is a point's position in the history, 0 for the first observation, 1
// for the last.
func (f *fit) time(t int) float64 { return (float64(t) - f.first) / f.span }

// trendColumns are those of the linear predictor of the trend at point t.
func (f *fit) trendColumns(t int, row []float64) []float64 {
	at := f.time(t)
	row = append(row, 1, at)
	for _, change := range f.changes {
		row = append(row, max(at-change, 0))
	}
	return row
}

func (f *fit) seasonColumns(t int, row []float64) []float64 {
	row = append(row, f.waves.At(t)...)
	if f.Regressors != nil {
		row = append(row, f.Regressors(t)...)
	}
	return row
}

// level is the trend at a value of its linear predictor, and its derivative.
func (f *fit) level(predictor float64) (level, derivative float64) {
	if f.Capacity == 0 {
		return predictor, 1
	}
	share := 1 / (1 + math.Exp(-predictor))
	return share, share * (1 - share)
}

func (f *fit) value(t int) float64 {
	level, _ := f.level(linear.Dot(f.trend, f.trendColumns(t, nil)))
	return f.least + f.scale*(level+linear.Dot(f.seasons, f.seasonColumns(t, nil)))
}

func (f *fit) Observe(float64) { f.now++ }

func (f *fit) Forecast(horizon int) []float64 {
	mean := make([]float64, horizon)
	for h := range mean {
		mean[h] = f.value(f.now + h)
	}
	return mean
}

func (f *fit) Parameters() map[string]float64 {
	changed, slope := 0, f.trend[1]
	for _, d := range f.trend[2:] {
		slope += d
		if d != 0 {
			changed++
		}
	}
	return map[string]float64{
		"slope_per_point": slope * f.scale / f.span, "changepoints": float64(changed),
		"fourier_terms": float64(2 * len(f.waves)), "noise": f.sigma * f.scale,
	}
}
