package signals

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
)

// lookUp asks in a group which metrics the selectors match in a time, and which in
// the hour before it. Metrics that existed before are chosen first: those that were
// just switched on have no past to be judged by.
func (e Finder) lookUp(ctx context.Context, group *parallel.Group, selectors []string, from, to time.Time, now, before *[]string) {
	ask := func(from, to time.Time, found *[]string) {
		group.Go(func() (err error) {
			*found, _, err = e.Metrics.LabelValues(ctx, "__name__", selectors, from, to)
			return err
		})
	}
	begun := core.Floor(from, time.Hour)
	ask(from, to, now)
	ask(begun.Add(-time.Hour), begun, before)
}
