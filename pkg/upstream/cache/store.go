// Package cache remembers the answers of upstreams for a while, and asks a
// question once that several ask at the same time.
package cache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/internal/coalesce"
	"github.com/foresight-observability/foresight/pkg/telemetry"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// settled is the age at which a window no longer changes: late samples and
	// spans have arrived.
	settled = 5 * time.Minute
	// Answers about settled windows are kept long, all others for a step of
	// theirs at most.
	long, short = 10 * time.Minute, 10 * time.Second
)

// Store holds answers up to a budget of bytes. It belongs to one configuration
// of the upstreams: their addresses, tenants and credentials are not part of
// the keys.
type Store struct {
	budget  atomic.Int64
	now     func() time.Time
	answers *otter.Cache[string, remembered]
	loads   coalesce.Group[any]
}

type remembered struct {
	value  any
	weight uint32
	keep   time.Duration
}

// NewStore makes a store with a budget in bytes. Without a budget it remembers
// nothing, but still asks equal questions once.
func NewStore(budget int64, now func() time.Time) *Store {
	s := &Store{
		now: now,
		answers: otter.Must(&otter.Options[string, remembered]{
			MaximumWeight:    uint64(max(budget, 1)),
			Weigher:          func(_ string, answer remembered) uint32 { return answer.weight },
			ExpiryCalculator: otter.ExpiryWritingFunc(func(entry otter.Entry[string, remembered]) time.Duration { return entry.Value.keep }),
		}),
	}
	s.budget.Store(budget)
	return s
}

// Resize changes the budget.
func (s *Store) Resize(budget int64) {
	s.budget.Store(budget)
	s.answers.SetMaximum(uint64(max(budget, 1)))
}

// Close forgets all answers and ends the store's own work.
func (s *Store) Close() {
	s.answers.InvalidateAll()
	s.answers.StopAllGoroutines()
}

// keep is how long an answer about a window may be given again.
func (s *Store) keep(end time.Time, step time.Duration, complete bool) time.Duration {
	if complete && s.now().Sub(end) >= settled {
		return long
	}
	if step <= 0 {
		return short
	}
	return min(max(step, time.Second), short)
}

// nameOf is how messages call an upstream.
func nameOf(inner any) string {
	if named, ok := inner.(interface{ Name() string }); ok {
		return named.Name()
	}
	return "The upstream"
}

// ask gives the answer that is remembered, or asks for it together with all
// who want to know the same. The size of the answer is in bytes.
func ask[T any](ctx context.Context, s *Store, who, key string, load func(context.Context) (T, error), judge func(T) (size int64, keep time.Duration)) (T, error) {
	if known, ok := s.answers.GetIfPresent(key); ok {
		telemetry.CacheHit("upstream")
		return known.value.(T), nil
	}
	telemetry.CacheMiss("upstream")
	return together(ctx, s, who, key, func(ctx context.Context) (T, error) {
		value, err := load(ctx)
		if err != nil {
			return value, err
		}
		size, keep := judge(value)
		if size += int64(len(key)) + sizeOfEntry; size <= s.budget.Load()/2 {
			s.answers.Set(key, remembered{value, uint32(min(size, math.MaxUint32)), keep})
		}
		return value, nil
	})
}

// together runs one load for all who ask for the key at the same time. Alert
// rules and engines have a load of their own: that of a panel may have to wait
// for its share.
func together[T any](ctx context.Context, s *Store, who, key string, load func(context.Context) (T, error)) (T, error) {
	caller := budget.CallerOf(ctx)
	key = fmt.Sprint(caller.Class, " ", key)
	value, own, err := s.share(ctx, who, key, func(ctx context.Context) (any, error) { return load(ctx) })
	var refused *budget.Refused
	if !own && errors.As(err, &refused) && refused.Scope == budget.OfUser {
		// Another user's share had no room for it; this one's may.
		value, _, err = s.share(ctx, who, caller.User+" "+key, func(ctx context.Context) (any, error) { return load(ctx) })
	}
	typed, _ := value.(T)
	return typed, err
}

// share joins the load of the key, or begins it as its own.
func (s *Store) share(ctx context.Context, who, key string, load func(context.Context) (any, error)) (value any, own bool, err error) {
	value, own, err = s.loads.Do(ctx, key, load)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		given := &upstream.Error{Upstream: who, Category: upstream.Cancelled, Message: "the query was cancelled before its answer arrived", Err: ctx.Err()}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			given.Category, given.Message = upstream.Timeout, "no answer arrived before the deadline"
		}
		return nil, own, given
	}
	return value, own, err
}
