package engine

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/query"
)

// Anomaly answers what about a metric is unusual inside the window.
func (e *Engine) Anomaly(ctx context.Context, q query.Anomaly, window Window) (AnomalyAnswer, error) {
	g := judgingGrid(window, time.Duration(q.History), time.Duration(q.Step), 0, e.Now())
	answer := AnomalyAnswer{Shown: window.Step}
	histories, err := e.filteredHistory(ctx, q.Expr, q.Filters, g, &answer.Basis)
	if err != nil {
		return answer, err
	}
	answer.parameter("step", g.step.String())
	answer.parameter("threshold", q.Threshold)
	said, err := e.feedback(ctx, q, g, &answer.Basis)
	if err != nil {
		return answer, err
	}
	answer.Series = make([]AnomalySeries, len(histories))
	return answer, eachSeries(ctx, len(histories), func(i int) {
		history := histories[i].whole()
		result, err := anomaly.Detect(anomaly.Request{
			History:      history,
			From:         g.from,
			Past:         time.Duration(q.History),
			Model:        q.Model,
			Direction:    anomaly.Direction(q.Direction),
			MinDeviation: q.MinDeviation,
			Threshold:    q.Threshold,
			Probability:  q.Probability,
			Detectors:    q.Detectors,
			NonNegative:  q.NonNegative == nil || *q.NonNegative,
			Feedback:     about(said, history.Labels),
			Models:       e.Models,
		})
		answer.Series[i] = AnomalySeries{Labels: history.Labels, Result: result, Problem: problem(err)}
	})
}
