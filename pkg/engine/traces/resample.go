package traces

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// larger is how many times more traces are fetched where a sample did not
// suffice: evidence grows with the root.
const larger = 4

// judge fetches both sides and compares them. Where the sample does not suffice
// and the store has more, it fetches a larger one, once.
func (e Comparer) judge(ctx context.Context, c Comparison, limit int, basis *core.Provenance) (samples, diff.Result, error) {
	if e.Limits.MaxTraces > 0 {
		limit = min(limit, e.Limits.MaxTraces)
	}
	e.readAttributes(ctx, &c)
	begun := e.Now()
	taken := core.Provenance{}
	s, err := e.fetch(ctx, c, true, limit, &taken)
	if err != nil {
		return s, diff.Result{}, err
	}
	compared, err := s.compare(ctx)
	if err != nil {
		return s, diff.Result{}, err
	}
	if s.lacksTraces(compared, limit) && limit != e.Limits.MaxTraces && e.affords(ctx, begun) {
		second := core.Provenance{}
		if more, err := e.fetch(ctx, c, true, larger*limit, &second); err == nil {
			judged, err := more.compare(ctx)
			if err != nil {
				return s, diff.Result{}, err
			}
			second.AddNotice(fmt.Sprintf("A sample of %d traces of each side did not suffice: up to %d were looked at.", limit, larger*limit))
			s, compared, taken = more, judged, second
		}
	}
	basis.Merge(taken)
	return s, compared, nil
}

// lacksTraces says that a larger sample, where there is one, might tell.
func (s *samples) lacksTraces(compared diff.Result, limit int) bool {
	return compared.Verdict == diff.Insufficient && (s.truncated || s.truncatedBefore) && compared.NeededTraces < larger*limit
}

// affords says that there is time for a larger sample, which takes as many times
// longer. Who sets no deadline waits: were it left to how fast the store is at
// the moment, replicas would judge by samples of different sizes.
func (e Comparer) affords(ctx context.Context, begun time.Time) bool {
	deadline, known := ctx.Deadline()
	now := e.Now()
	return !known || deadline.Sub(now) > 2*larger*now.Sub(begun)
}

// readAttributes has every attribute read that may explain a change. A store that
// does not list them in time explains by the well-known ones.
func (e Comparer) readAttributes(ctx context.Context, c *Comparison) {
	lister, is := e.Traces.(upstream.AttributeLister)
	if !is {
		return
	}
	patience, cancel := context.WithTimeout(ctx, core.SideTimeout)
	defer cancel()
	from, to := core.Hourly(c.window(true))
	if names, err := lister.Attributes(patience, from, to); err == nil {
		c.Baseline.Attributes, c.Candidate.Attributes = names, names
	}
}
