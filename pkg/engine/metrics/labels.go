package metrics

import (
	"context"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Labels lists the labels that the series of the selectors (all for none) have
// inside the window.
func (e Evaluator) Labels(ctx context.Context, selectors []string, window core.Window) (answer core.NamesAnswer, err error) {
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	answer.Names, err = e.Metrics.LabelNames(ctx, selectors, window.From, window.To)
	return answer, err
}

// LabelValues lists the values of a label of the series of the selectors (all for
// none) inside the window.
func (e Evaluator) LabelValues(ctx context.Context, label string, selectors []string, window core.Window) (answer core.NamesAnswer, err error) {
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	answer.Names, answer.Notices, err = e.Metrics.LabelValues(ctx, label, selectors, window.From, window.To)
	return answer, err
}

// Describe tells what those who expose a metric say of it.
func (e Evaluator) Describe(ctx context.Context, metric string) (upstream.MetricDescription, error) {
	if e.Metrics == nil {
		return upstream.MetricDescription{}, core.ErrNoMetrics
	}
	return e.Metrics.Describe(ctx, metric)
}
