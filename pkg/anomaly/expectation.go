package anomaly

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// expectation is what was to be expected at each point, from what lay before.
type expectation struct {
	expected   []float64 // NaN before the model had seen enough
	model      string
	season     time.Duration
	parameters map[string]float64
	shifts     []shift
}

// expect makes the expectation for every point of y. Only the first learn
// points teach parameters; the state moves on with every point, but unusual
// ones move it little.
func expect(r Request, y series.Series, learn int) (expectation, error) {
	if r.Model != "" && r.Model != forecast.Auto {
		rolled, err := forecast.Rolling(forecast.Request{History: y, Model: r.Model, Seasons: r.Seasons}, learn)
		return expectation{
			expected: rolled.Expected, model: rolled.Model, season: rolled.Season, parameters: rolled.Parameters,
		}, err
	}
	durations := r.Seasons
	if len(durations) == 0 {
		durations = series.Calendar
	}
	training := y.Values[:learn]
	pattern := learnPattern(training, series.Periods(durations, y.Step))
	deseasonalised := make([]float64, len(y.Values))
	for i, v := range y.Values {
		deseasonalised[i] = v - pattern.at(i, learn)
	}
	memory, level := followLevel(deseasonalised, learn, y.Step)
	e := expectation{
		expected:   level.path,
		model:      "seasonal-level",
		season:     time.Duration(pattern.longest()) * y.Step,
		parameters: map[string]float64{"memory_seconds": (time.Duration(memory) * y.Step).Seconds()},
		shifts:     level.shifts,
	}
	bias := 0.0
	residual := make([]float64, learn)
	for i := range residual {
		residual[i] = deseasonalised[i] - level.path[i]
	}
	if b := stats.Median(residual); !math.IsNaN(b) {
		bias = b // a level that trails a trend is always on the same side of it
	}
	for i := range e.expected {
		e.expected[i] += pattern.at(i, learn) + bias
	}
	for _, s := range pattern.seasons {
		hours := (time.Duration(s.Period) * y.Step).Hours()
		e.parameters[fmt.Sprintf("season_%gh_strength", hours)] = s.Strength
	}
	return e, nil
}

// unshifted is y without the changes of level that were accepted.
func (e expectation) unshifted(y []float64) []float64 {
	values := slices.Clone(y)
	for _, shift := range e.shifts {
		for i := shift.at + 1; i < len(values); i++ {
			values[i] -= shift.by
		}
	}
	return values
}
