// Package cache gives the same answer to clients that ask the same at about the
// same time: engines poll, and so do all their replicas. It is a matter of speed
// alone; without it every answer would be the same, and some seconds newer.
package cache

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/internal/coalesce"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/telemetry"
)

const (
	// maxAge is how long an answer is given again at most; about as long as the
	// upstreams' answers about the newest minute are.
	maxAge = 15 * time.Second
	// RefreshAfter is the age from which on an answer that is still asked for is
	// computed anew, while the old one is given.
	RefreshAfter = 7 * time.Second
	// maxBytes bounds the memory for answers, of which an entry takes some beside
	// its value.
	maxBytes    = 8 << 20
	sizeOfEntry = 200
)

// Cache is a stale-while-revalidate cache. A failed refresh drops the old entry,
// so that the next client gets the error.
type Cache[T any] struct {
	entries *otter.Cache[string, *entry[T]]
	loads   coalesce.Group[*entry[T]]
	now     func() time.Time
	leave   func()        // the process' caches
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

// New makes an empty cache. Size is what a value takes in memory, in bytes.
func New[T any](now func() time.Time, size func(T) int64) *Cache[T] {
	lifetime, cancel := context.WithCancel(context.Background())
	c := &Cache[T]{lifetime: lifetime, cancel: cancel, now: now, refresh: make(chan struct{}, 1)}
	c.loads.Finish = true
	c.entries = otter.Must(&otter.Options[string, *entry[T]]{
		MaximumWeight: maxBytes,
		Weigher: func(key string, e *entry[T]) uint32 {
			return uint32(min(int64(len(key))+sizeOfEntry+size(e.value), math.MaxUint32))
		},
		ExpiryCalculator: otter.ExpiryWriting[string, *entry[T]](maxAge),
	})
	c.leave = budget.Process.Caches.Join(maxBytes, func(bytes int64) { c.entries.SetMaximum(uint64(max(bytes, 1))) })
	return c
}

// Close ends the cache's own work.
func (c *Cache[T]) Close() {
	c.cancel()
	c.leave()
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
			parallel.Go(func() { c.reload(ctx, key, timeout, load) })
		}
		telemetry.CacheHit("api")
		return cached.value, nil
	}
	telemetry.CacheMiss("api")
	loaded, _, err := c.loads.Do(ctx, key, func(ctx context.Context) (*entry[T], error) {
		loading, cancel := c.detached(ctx, timeout)
		defer cancel()
		loaded, err := c.load(loading, load)
		if err == nil {
			c.entries.Set(key, loaded)
		}
		return loaded, err
	})
	if err != nil {
		return value, err
	}
	return loaded.value, nil
}

// reload replaces an entry. Where that fails the old one is dropped, and the
// next client gets the error.
func (c *Cache[T]) reload(ctx context.Context, key string, timeout time.Duration, load func(context.Context) (T, error)) {
	loading, cancel := c.detached(ctx, timeout)
	defer cancel()
	loading, held := budget.Detached(loading)
	defer held.Close()
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
	return loading, func() { stop(); cancel() }
}

func (c *Cache[T]) load(ctx context.Context, load func(context.Context) (T, error)) (*entry[T], error) {
	begun := c.now()
	value, err := load(ctx)
	if err != nil {
		return nil, err
	}
	return &entry[T]{value: value, at: begun}, nil
}
