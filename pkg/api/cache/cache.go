// Package cache gives the same answer to clients that ask the same at about the
// same time: engines poll, and so do all their replicas. It is a matter of speed
// alone; without it every answer would be the same, and some seconds newer.
package cache

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/telemetry"
)

const (
	// maxAge is how long an answer is given again at most; about as long as the
	// upstreams' answers about the newest minute are.
	maxAge = 15 * time.Second
	// RefreshAfter is the age from which on an answer that is still asked for is
	// computed anew, while the old one is given.
	RefreshAfter = 7 * time.Second
	// maxEntries bounds the memory for answers.
	maxEntries = 2000
)

// Cache is a stale-while-revalidate cache. A failed refresh drops the old entry,
// so that the next client gets the error.
type Cache[T any] struct {
	entries *otter.Cache[string, *entry[T]]
	now     func() time.Time
	refresh chan struct{} // one refresh at a time: the processors are for clients that wait
	// lifetime ends the work when the data source is replaced.
	lifetime context.Context
	cancel   context.CancelFunc
}

type entry[T any] struct {
	value      T
	at         time.Time
	refreshing atomic.Bool
}

// New makes an empty cache.
func New[T any](now func() time.Time) *Cache[T] {
	lifetime, cancel := context.WithCancel(context.Background())
	return &Cache[T]{lifetime: lifetime, cancel: cancel, now: now, refresh: make(chan struct{}, 1), entries: otter.Must(&otter.Options[string, *entry[T]]{
		MaximumSize:      maxEntries,
		ExpiryCalculator: otter.ExpiryWriting[string, *entry[T]](maxAge),
	})}
}

// Close ends the cache's own work.
func (c *Cache[T]) Close() {
	c.cancel()
	c.entries.InvalidateAll()
	c.entries.StopAllGoroutines()
}

// Get returns the cached value of a key, or loads it once for all clients that
// wait for it. Errors are not cached. A client that leaves does not end the load
// for the others, which has timeout for its own deadline.
func (c *Cache[T]) Get(ctx context.Context, key string, timeout time.Duration, load func(context.Context) (T, error)) (value T, err error) {
	// A rule does not wait for what a panel's share has no room for.
	key = fmt.Sprint(budget.CallerOf(ctx).Class, " ", key)
	if cached, ok := c.entries.GetIfPresent(key); ok {
		if c.now().Sub(cached.at) >= RefreshAfter && cached.refreshing.CompareAndSwap(false, true) {
			go c.reload(ctx, key, timeout, load)
		}
		telemetry.CacheHit("api")
		return cached.value, nil
	}
	telemetry.CacheMiss("api")
	type result struct {
		loaded *entry[T]
		err    error
	}
	done := make(chan result, 1)
	go func() {
		loading, cancel := c.detached(ctx, timeout)
		defer cancel()
		loaded, err := c.entries.Get(loading, key, otter.LoaderFunc[string, *entry[T]](func(ctx context.Context, _ string) (*entry[T], error) {
			return c.load(ctx, load)
		}))
		done <- result{loaded, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return value, r.err
		}
		return r.loaded.value, nil
	case <-ctx.Done():
		return value, ctx.Err()
	}
}

// reload replaces an entry. Where that fails the old one is dropped, and the
// next client gets the error.
func (c *Cache[T]) reload(ctx context.Context, key string, timeout time.Duration, load func(context.Context) (T, error)) {
	loading, cancel := c.detached(ctx, timeout)
	defer cancel()
	select {
	case c.refresh <- struct{}{}:
		defer func() { <-c.refresh }()
	case <-loading.Done():
		return
	}
	if loaded, err := c.load(loading, load); err == nil {
		c.entries.Set(key, loaded)
	} else {
		c.entries.Invalidate(key)
	}
}

// detached is a context that outlives the client, but not the data source.
func (c *Cache[T]) detached(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	loading, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(c.lifetime, cancel)
	loading, held := budget.Detached(loading)
	return loading, func() { stop(); cancel(); held.Close() }
}

func (c *Cache[T]) load(ctx context.Context, load func(context.Context) (T, error)) (loaded *entry[T], err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("computing an answer panicked: %v", problem)
		}
	}()
	begun := c.now()
	value, err := load(ctx)
	if err != nil {
		return nil, err
	}
	return &entry[T]{value: value, at: begun}, nil
}
