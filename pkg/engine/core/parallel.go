package core

import (
	"context"
	"runtime"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/telemetry"
)

// Compute does the work when a processor is free for it; not at all when nobody
// waits for the answer any more. The work must not wait for anything itself.
func Compute(ctx context.Context, work func()) error {
	admitted := telemetry.Time(telemetry.Queue)
	return budget.Compute(ctx, budget.Process.Processors, func(context.Context) error {
		admitted()
		defer telemetry.Time(telemetry.Compute)()
		work()
		return nil
	})
}

// EachSeries computes something for every series, and stops early when nobody
// waits for the answer any more.
func EachSeries(ctx context.Context, n int, work func(i int)) error {
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error { return Compute(ctx, func() { work(i) }) })
	}
	return group.Wait()
}

// Problem is an error as a sentence beside the other series' answers.
func Problem(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
