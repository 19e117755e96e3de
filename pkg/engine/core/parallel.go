package core

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/foresight-observability/foresight/pkg/telemetry"
)

// processors are what all questions together compute on. Each in its turn is
// done sooner on average than all at once, and holds its memory for less time.
var processors = semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))

// Compute does the work when a processor is free for it; not at all when nobody
// waits for the answer any more. The work must not wait for anything itself.
func Compute(ctx context.Context, work func()) error {
	admitted := telemetry.Time(telemetry.Queue)
	if err := processors.Acquire(ctx, 1); err != nil {
		return err
	}
	defer processors.Release(1)
	admitted()
	defer telemetry.Time(telemetry.Compute)()
	work()
	return nil
}

// EachSeries computes something for every series, and stops early when nobody
// waits for the answer any more.
func EachSeries(ctx context.Context, n int, work func(i int)) error {
	group, ctx := errgroup.WithContext(ctx)
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
