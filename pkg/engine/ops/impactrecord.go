package ops

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Record is what happened from one instant to another, as an impact query counts
// it: incidents, deploys, rollbacks, and what people said.
func (e Advisor) Record(ctx context.Context, q query.Impact, from, to time.Time, basis *core.Provenance) (impact.Record, error) {
	step := core.StepFor(max(to.Sub(from)/impactPoints, core.MinStep))
	grid := upstream.Range{Start: core.Floor(from, step), End: core.Floor(to, step), Step: step}
	h := &recordBuilder{engine: e, query: q, grid: grid, record: impact.Record{From: grid.Start, To: grid.End, Watched: map[string]bool{}}}
	err := h.collect(ctx)
	basis.Merge(h.basis)
	return h.record, err
}
