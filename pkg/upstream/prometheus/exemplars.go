package prometheus

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// traceLabels are those under which exemplars name their trace: Tempo's and
// OpenTelemetry's, and that of Grafana's older clients.
var traceLabels = []string{"trace_id", "traceID", "traceId"}

// maxExemplars bounds what one question gives.
const maxExemplars = 5_000

// Exemplars implements upstream.Metrics.
func (c *Client) Exemplars(ctx context.Context, promQL string, start, end time.Time) ([]upstream.Exemplar, error) {
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()
	found, err := c.api.QueryExemplars(ctx, promQL, start, end)
	if err != nil {
		return nil, c.failure(err)
	}
	var all []upstream.Exemplar
	for _, one := range found {
		for _, exemplar := range one.Exemplars {
			for _, label := range traceLabels {
				text := string(exemplar.Labels[model.LabelName(label)])
				if id, err := trace.ParseTraceID(text); err == nil && id != (trace.TraceID{}) {
					all = append(all, upstream.Exemplar{Trace: id, At: exemplar.Timestamp.Time().UTC()})
					break
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b upstream.Exemplar) int {
		return cmp.Or(b.At.Compare(a.At), bytes.Compare(a.Trace[:], b.Trace[:]))
	})
	seen := map[trace.TraceID]bool{}
	all = slices.DeleteFunc(all, func(e upstream.Exemplar) bool {
		known := seen[e.Trace]
		seen[e.Trace] = true
		return known
	})
	return all[:min(len(all), maxExemplars)], nil
}
