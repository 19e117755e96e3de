package metrics

import (
	"context"

	"github.com/foresight-observability/foresight/pkg/engine/core"
)

// Labels lists the labels that metrics have inside the window.
func (e Evaluator) Labels(ctx context.Context, window core.Window) (answer core.NamesAnswer, err error) {
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	answer.Names, err = e.Metrics.LabelNames(ctx, window.From, window.To)
	return answer, err
}

// LabelValues lists the values of a label inside the window.
func (e Evaluator) LabelValues(ctx context.Context, label string, window core.Window) (answer core.NamesAnswer, err error) {
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	answer.Names, answer.Notices, err = e.Metrics.LabelValues(ctx, label, nil, window.From, window.To)
	return answer, err
}
