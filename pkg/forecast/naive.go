package forecast

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// Level forecasts the median of the history, for histories too short for
// anything else.
type Level struct{}

// Name of the model.
func (Level) Name() string { return "level" }

// Fit takes the median.
func (Level) Fit(y []float64) (Fitted, error) {
	observed := stats.Observed(y)
	if len(observed) == 0 {
		return nil, model.ShortHistory(0, 1, "the level")
	}
	return &levelFit{stats.MedianOf(observed)}, nil
}

type levelFit struct{ level float64 }

func (*levelFit) Observe(float64)                  {}
func (f *levelFit) Forecast(horizon int) []float64 { return repeat(f.level, horizon) }
func (f *levelFit) Parameters() map[string]float64 { return map[string]float64{"level": f.level} }

// RecentLevel forecasts the median of the latest points, for what is noisy, or has
// bursts, around a level that moves.
type RecentLevel struct{}

// Name of the model.
func (RecentLevel) Name() string { return "recent-level" }

// recentPoints are three weeks of days.
const recentPoints = 21

// Fit takes the latest points.
func (RecentLevel) Fit(y []float64) (Fitted, error) {
	fit := &recentLevelFit{}
	for _, v := range y {
		fit.Observe(v)
	}
	if len(fit.recent) == 0 {
		return nil, model.ShortHistory(0, 1, "the recent level")
	}
	return fit, nil
}

type recentLevelFit struct{ recent []float64 } // observed, oldest first

func (f *recentLevelFit) Observe(v float64) {
	if math.IsNaN(v) {
		return
	}
	if f.recent = append(f.recent, v); len(f.recent) > recentPoints {
		f.recent = f.recent[1:]
	}
}

func (f *recentLevelFit) level() float64 { return stats.Median(f.recent) }

func (f *recentLevelFit) Forecast(horizon int) []float64 { return repeat(f.level(), horizon) }

func (f *recentLevelFit) Parameters() map[string]float64 {
	return map[string]float64{"level": f.level()}
}

// Naive forecasts the last observation.
type Naive struct{}

// Name of the model.
func (Naive) Name() string { return "naive" }

// Fit takes the last observation.
func (Naive) Fit(y []float64) (Fitted, error) {
	fit := &naiveFit{last: math.NaN()}
	for _, v := range y {
		fit.Observe(v)
	}
	if math.IsNaN(fit.last) {
		return nil, model.ShortHistory(0, 1, "the naive forecast")
	}
	return fit, nil
}

type naiveFit struct{ last float64 }

func (f *naiveFit) Observe(v float64) {
	if !math.IsNaN(v) {
		f.last = v
	}
}
func (f *naiveFit) Forecast(horizon int) []float64 { return repeat(f.last, horizon) }
func (f *naiveFit) Parameters() map[string]float64 { return map[string]float64{"last": f.last} }

// Drift forecasts the line through the first and the last observation
// (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.2).
type Drift struct{}

// Name of the model.
func (Drift) Name() string { return "drift" }

// Fit needs two observations.
func (Drift) Fit(y []float64) (Fitted, error) {
	fit := &driftFit{}
	for _, v := range y {
		fit.Observe(v)
	}
	if fit.lastAt == fit.firstAt {
		return nil, model.ShortHistory(fit.seen, 2, "a drift")
	}
	return fit, nil
}

type driftFit struct {
	first, last          float64
	firstAt, lastAt, now int
	seen                 int
}

func (f *driftFit) Observe(v float64) {
	f.now++
	if math.IsNaN(v) {
		return
	}
	if f.seen == 0 {
		f.first, f.firstAt = v, f.now
	}
	f.last, f.lastAt = v, f.now
	f.seen++
}

func (f *driftFit) slope() float64 { return (f.last - f.first) / float64(f.lastAt-f.firstAt) }

func (f *driftFit) Forecast(horizon int) []float64 {
	mean := make([]float64, horizon)
	for h := range mean {
		mean[h] = f.last + f.slope()*float64(f.now-f.lastAt+h+1)
	}
	return mean
}

func (f *driftFit) Parameters() map[string]float64 {
	return map[string]float64{"last": f.last, "slope": f.slope()}
}

// SeasonalNaive forecasts what was observed one season earlier; where that is
// missing, the latest observation at the same phase.
type SeasonalNaive struct{ Period int }

// Name of the model.
func (SeasonalNaive) Name() string { return "seasonal-naive" }

// LongestPeriod is the longest season that the model fits, in steps.
func (m SeasonalNaive) LongestPeriod() int { return m.Period }

// Fit needs one season.
func (m SeasonalNaive) Fit(y []float64) (Fitted, error) {
	if len(y) < m.Period {
		return nil, model.ShortHistory(len(y), m.Period, "one season")
	}
	season := repeat(math.NaN(), m.Period)
	for i, v := range y {
		if !math.IsNaN(v) {
			season[i%m.Period] = v
		}
	}
	if math.IsNaN(stats.Median(season)) {
		return nil, model.ShortHistory(0, m.Period, "one season")
	}
	series.FillCircular(season)
	return &seasonalNaiveFit{season: season, at: len(y) % m.Period}, nil
}

type seasonalNaiveFit struct {
	season []float64
	at     int // phase of the next observation
}

func (f *seasonalNaiveFit) Observe(v float64) {
	if !math.IsNaN(v) {
		f.season[f.at] = v
	}
	f.at = (f.at + 1) % len(f.season)
}

func (f *seasonalNaiveFit) Forecast(horizon int) []float64 {
	mean := make([]float64, horizon)
	for h := range mean {
		mean[h] = f.season[(f.at+h)%len(f.season)]
	}
	return mean
}

func (f *seasonalNaiveFit) Parameters() map[string]float64 {
	return map[string]float64{"period": float64(len(f.season))}
}

func repeat(v float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}
