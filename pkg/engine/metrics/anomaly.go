package metrics

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// AnomalyAnswer holds one result per series.
type AnomalyAnswer struct {
	core.Provenance
	// Shown is the resolution that a panel can show; 0 for any.
	Shown  time.Duration
	Series []AnomalySeries
}

// AnomalySeries is one series with its band, scores and events.
type AnomalySeries struct {
	Labels series.Labels
	Result anomaly.Result
	// Problem is why the series could not be judged; empty for no problem.
	Problem string
}

// Evaluator evaluates queries over metrics.
type Evaluator struct {
	core.Sources
	Signals signals.Finder
	// Models and ForecastModels are caches of what histories taught; nil for none.
	Models         *anomaly.Models
	ForecastModels *ForecastModels
}

// Anomaly answers what about a metric is unusual inside the window.
func (e Evaluator) Anomaly(ctx context.Context, q query.Anomaly, window core.Window) (AnomalyAnswer, error) {
	answer := AnomalyAnswer{Shown: window.Step}
	if err := CheckAnomaly(q); err != nil {
		return answer, err
	}
	window, err := e.WithScrape(ctx, window, time.Duration(q.Step), q.Expr)
	if err != nil {
		return answer, err
	}
	g := core.ScoringGrid(window, time.Duration(q.History), time.Duration(q.Step), 0, e.Now())
	answer.SetParameter("step", g.Step.String())
	answer.SetParameter("threshold", q.Threshold)
	if q.Distribution {
		return answer, e.distributions(ctx, q, g, &answer)
	}
	histories, err := e.FilteredHistory(ctx, q.Expr, q.Filters, g, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	said, err := e.feedback(ctx, q, g, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	judge, err := judgeOf(q, histories, g)
	answer.Series = make([]AnomalySeries, len(histories))
	return answer, core.EachSeries(ctx, len(histories), func(i int) {
		history := histories[i].Align()
		history.Start = history.Start.In(q.Location())
		answer.Series[i] = AnomalySeries{Labels: history.Labels, Problem: core.Problem(err)}
		if err != nil {
			return
		}
		request := AnomalyRequest(q, history, g.From, e.Models)
		request.Feedback = about(said, history.Labels)
		result, err := judge(request)
		answer.Series[i] = AnomalySeries{Labels: history.Labels, Result: result, Problem: core.Problem(err)}
	})
}

// CheckAnomaly checks the names in a query that only the engine knows: the model and
// the detectors.
func CheckAnomaly(q query.Anomaly) error {
	if err := checkModel(q.Model); err != nil {
		return err
	}
	for _, name := range q.Detectors {
		if err := query.CheckKnown("detectors", name, detector.Names()); err != nil {
			return &core.UserError{Message: err.Error()}
		}
	}
	return nil
}

// AnomalyRequest is what a query asks of one series, without feedback.
func AnomalyRequest(q query.Anomaly, history series.Series, from time.Time, models *anomaly.Models) anomaly.Request {
	return anomaly.Request{
		History:              history,
		From:                 from,
		Past:                 time.Duration(q.History),
		Model:                q.Model,
		Direction:            anomaly.Direction(q.Direction),
		MinRelativeDeviation: q.MinRelativeDeviation,
		MinDeviation:         q.MinDeviation,
		Threshold:            q.Threshold,
		Probability:          q.Probability,
		Detectors:            q.Detectors,
		NonNegative:          q.NonNegative == nil || *q.NonNegative,
		Models:               models,
	}
}

// judgeOf is how each series is judged: by its own past, or against the others.
// The error is why they cannot be compared.
func judgeOf(q query.Anomaly, histories []core.RawSeries, g core.Grid) (func(anomaly.Request) (anomaly.Result, error), error) {
	if !q.Peers || len(histories) == 0 {
		return anomaly.Detect, nil
	}
	group, err := anomaly.NewGroup(core.AlignAll(histories), g.From)
	return group.Detect, err
}
