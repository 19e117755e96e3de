// Package coalesce runs work once for all who want the same at the same time.
package coalesce

import (
	"context"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
)

// Group runs work by key. The zero value is ready.
type Group[T any] struct {
	// Finish lets work run to its end when all who waited for it have left; the
	// work needs a deadline of its own then. Without it the work's context ends
	// with the last of them.
	Finish bool

	flights singleflight.Group

	mu      sync.Mutex
	waiting map[string]*flight
}

// flight is work under way, and those who wait for it.
type flight struct {
	ctx    context.Context
	cancel context.CancelFunc
	held   *budget.Account // what the result takes, until nobody uses it any more
	count  int
	done   bool
}

// Do returns the result of the work that runs for the key, or runs it; own tells
// which. A caller whose context ends leaves with the context's error, and does
// not end the work for others. What the work is charged for counts for each of
// them. A panic becomes an error.
func (g *Group[T]) Do(ctx context.Context, key string, work func(context.Context) (T, error)) (value T, own bool, err error) {
	with, own, result := g.join(ctx, key, work)
	defer g.leave(key, with)
	select {
	case done := <-result:
		budget.Keep(ctx, with.held)
		value, _ = done.Val.(T)
		return value, own, done.Err
	case <-ctx.Done():
		return value, own, ctx.Err()
	}
}

// Waiting is how many wait for the key's work.
func (g *Group[T]) Waiting(key string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if with := g.waiting[key]; with != nil {
		return with.count
	}
	return 0
}

func (g *Group[T]) join(ctx context.Context, key string, work func(context.Context) (T, error)) (with *flight, own bool, result <-chan singleflight.Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == nil {
		g.waiting = map[string]*flight{}
	}
	with = g.waiting[key]
	if with == nil {
		own = true
		with = &flight{}
		with.ctx, with.cancel = context.WithCancel(context.WithoutCancel(ctx))
		with.ctx, with.held = budget.Detached(with.ctx)
		g.waiting[key] = with
	}
	with.count++
	return with, own, g.flights.DoChan(key, func() (any, error) {
		defer g.landed(key, with)
		var value T
		err := parallel.Safely(func() (err error) {
			value, err = work(with.ctx)
			return err
		})
		return value, err
	})
}

func (g *Group[T]) leave(key string, with *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	with.count--
	g.end(key, with)
}

func (g *Group[T]) landed(key string, with *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	with.done = true
	g.end(key, with)
}

// end forgets work that nobody waits for.
func (g *Group[T]) end(key string, with *flight) {
	if with.count > 0 || g.Finish && !with.done || g.waiting[key] != with {
		return
	}
	with.cancel()
	with.held.Close()
	delete(g.waiting, key)
	g.flights.Forget(key)
}
