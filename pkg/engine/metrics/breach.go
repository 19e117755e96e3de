package metrics

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// BreachAnswer holds one early warning per series.
type BreachAnswer struct {
	core.Provenance
	Threshold float64
	Horizon   time.Duration
	// Shown is the resolution that a panel can show; 0 for any.
	Shown  time.Duration
	Series []BreachSeries
}

// BreachSeries is one series and how likely it is to cross the threshold.
type BreachSeries struct {
	Labels series.Labels
	Result breach.Result
	// Problem is why nothing can be said; empty for no problem.
	Problem string
}

// Breach answers how likely a metric crosses a threshold after each point of
// the window.
func (e Evaluator) Breach(ctx context.Context, q query.Breach, window core.Window) (BreachAnswer, error) {
	var basis core.Provenance
	if q.Service != "" {
		var err error
		if q, err = e.ofResources(ctx, q, window, &basis); err != nil {
			return BreachAnswer{}, err
		}
	}
	window, err := e.WithScrape(ctx, window, time.Duration(q.Step), q.Expr)
	if err != nil {
		return BreachAnswer{}, err
	}
	g := core.ScoringGrid(window, time.Duration(q.History), time.Duration(q.Step), 0, e.Now())
	horizon := max(time.Duration(q.Horizon), g.Step)
	answer := BreachAnswer{Provenance: basis, Threshold: *q.Threshold, Horizon: horizon, Shown: window.Step}
	histories, err := e.FilteredHistory(ctx, q.Expr, q.Filters, g, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	answer.SetParameter("step", g.Step.String())
	answer.SetParameter("threshold", answer.Threshold)
	answer.SetParameter("horizon", horizon.String())
	answer.Series = make([]BreachSeries, len(histories))
	return answer, core.EachSeries(ctx, len(histories), func(i int) {
		history := histories[i].Align()
		history.Start = history.Start.In(q.Location())
		result, err := breach.Predict(BreachRequest(q, history, g.From, e.Models))
		answer.Series[i] = BreachSeries{Labels: history.Labels, Result: result, Problem: core.Problem(err)}
	})
}

// BreachRequest is what a query asks of one series.
func BreachRequest(q query.Breach, history series.Series, from time.Time, models *anomaly.Models) breach.Request {
	return breach.Request{
		History:   history,
		From:      from,
		Past:      time.Duration(q.History),
		Threshold: *q.Threshold,
		Below:     q.Direction == "below",
		Horizon:   max(time.Duration(q.Horizon), history.Step),
		Models:    models,
	}
}
