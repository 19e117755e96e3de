package metrics

import (
	"context"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// ForecastAnswer holds one forecast per series.
type ForecastAnswer struct {
	core.Provenance
	RangeEnd time.Time // of the asked window, which may lie in the future
	Series   []ForecastSeries
}

// ForecastSeries is one series' recent past and its forecast.
type ForecastSeries struct {
	Labels   series.Labels
	Actual   series.Series // the part of the history inside the asked window
	Forecast forecast.Result
	// Earlier is what was forecast one horizon before the end of the window, from
	// what was known then, where a panel shows nothing of Forecast; the zero value
	// otherwise.
	Earlier forecast.Result
	// Problem is why there is no forecast ("not enough data: ..."); empty for
	// none.
	Problem string
}

// Forecast answers what a metric will be after the window.
func (e Evaluator) Forecast(ctx context.Context, q query.Forecast, window core.Window) (ForecastAnswer, error) {
	if err := checkModel(q.Model); err != nil {
		return ForecastAnswer{}, err
	}
	window, err := e.WithScrape(ctx, window, time.Duration(q.Step), q.Expr)
	if err != nil {
		return ForecastAnswer{}, err
	}
	answer := ForecastAnswer{RangeEnd: window.To}
	g := e.CoarseGrid(ctx, q.Expr, q.Filters, window, time.Duration(q.History), time.Duration(q.Step), &answer.Provenance)
	horizon := q.Horizon.Or(max(g.To.Sub(g.From)/4, 10*g.Step))
	histories, err := e.FilteredHistory(ctx, q.Expr, q.Filters, g, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	answer.SetParameter("step", g.Step.String())
	answer.SetParameter("horizon", horizon.String())
	location := q.Location()
	unseen := window.Drawn && !window.To.After(g.To.Add(g.Step))
	answer.Series = make([]ForecastSeries, len(histories))
	return answer, core.EachSeries(ctx, len(histories), func(i int) {
		history := histories[i].Align()
		history.Start = history.Start.In(location)
		request := forecast.Request{
			History:       history,
			Horizon:       max(int(horizon/g.Step), 1),
			Model:         q.Model,
			Probabilities: []float64{q.Probability},
			NonNegative:   q.NonNegative == nil || *q.NonNegative,
		}
		result, err := e.ForecastModels.Run(request)
		var earlier forecast.Result
		if unseen && err == nil {
			request.History = history.Between(history.Start, result.Start.Add(-horizon))
			// Where too little was known then, there is nothing to show.
			earlier, _ = e.ForecastModels.Run(request)
		}
		actual := history.Between(g.From, g.To.Add(g.Step))
		actual.Values = slices.Clone(actual.Values) // so that the history can be let go
		answer.Series[i] = ForecastSeries{
			Labels:   history.Labels,
			Actual:   actual,
			Forecast: result,
			Earlier:  earlier,
			Problem:  core.Problem(err),
		}
	})
}

// checkModel names the model that was probably meant where there is none of the
// name: a rule would otherwise have no data, and say nothing.
func checkModel(name string) error {
	if name == "" {
		return nil
	}
	if err := query.CheckKnown("model", name, append([]string{forecast.Auto}, forecast.Models()...)); err != nil {
		return &core.UserError{Message: err.Error()}
	}
	return nil
}
