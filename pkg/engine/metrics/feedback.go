package metrics

import (
	"context"
	"fmt"
	"slices"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// label is what somebody said of an event, of one service or of any.
type label struct {
	anomaly.Feedback
	service string
}

// feedback is what the query and annotations in Grafana say of past events. A
// source that fails is one less.
func (e Evaluator) feedback(ctx context.Context, q query.Anomaly, g core.Grid, basis *core.Provenance) ([]label, error) {
	var said []label
	for _, one := range q.Feedback {
		at, err := one.At(g.To)
		if err != nil {
			return nil, core.UserErrorf("%v", err)
		}
		said = append(said, label{Feedback: anomaly.Feedback{Time: at, Real: *one.Real}})
	}
	if e.Feedback == nil {
		return said, nil
	}
	labels, warnings, err := e.Feedback.Read(ctx, g.Start, g.To)
	basis.AddNotice(warnings...)
	if err != nil {
		basis.AddNotice(fmt.Sprintf("Annotations that say whether events were real are unknown: %v", err))
	}
	for _, l := range labels {
		said = append(said, label{anomaly.Feedback{Time: l.At, Real: l.Real}, l.Service})
	}
	return said, nil
}

// about is what was said of a series: of its service, or of no service in
// particular.
func about(said []label, labels series.Labels) []anomaly.Feedback {
	var found []anomaly.Feedback
	for _, one := range said {
		named := slices.ContainsFunc(wellknown.ServiceLabels, func(name string) bool { return labels[name] == one.service })
		if one.service == "" || named {
			found = append(found, one.Feedback)
		}
	}
	return found
}
