package answer

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// eachSeries runs work for every series, as many at once as there are
// processors, and stops early when nobody waits for the answer any more.
func eachSeries(ctx context.Context, n int, work func(i int)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			work(i)
			return nil
		})
	}
	return group.Wait()
}

// problem is an error as a sentence beside the other series' answers.
func problem(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
