package engine

import (
	"context"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Forecast answers what a metric will be after the window.
func (e *Engine) Forecast(ctx context.Context, q query.Forecast, window Window) (ForecastAnswer, error) {
	g := gridFor(window, time.Duration(q.History), time.Duration(q.Step), e.Now())
	horizon := q.Horizon.Or(max(g.to.Sub(g.from)/4, 10*g.step))
	answer := ForecastAnswer{RangeEnd: window.To}
	histories, err := e.filteredHistory(ctx, q.Expr, q.Filters, g, &answer.Basis)
	if err != nil {
		return answer, err
	}
	answer.parameter("step", g.step.String())
	answer.parameter("horizon", horizon.String())
	location := q.Location()
	answer.Series = make([]ForecastSeries, len(histories))
	return answer, eachSeries(ctx, len(histories), func(i int) {
		history := histories[i].whole()
		history.Start = history.Start.In(location)
		result, err := e.ForecastModels.forecast(forecast.Request{
			History:       history,
			Horizon:       max(int(horizon/g.step), 1),
			Model:         q.Model,
			Probabilities: []float64{q.Probability},
			NonNegative:   q.NonNegative == nil || *q.NonNegative,
		})
		actual := history.Between(g.from, g.to.Add(g.step))
		actual.Values = slices.Clone(actual.Values) // so that the history can be let go
		answer.Series[i] = ForecastSeries{
			Labels:   history.Labels,
			Actual:   actual,
			Forecast: result,
			Problem:  problem(err),
		}
	})
}
