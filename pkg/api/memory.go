package api

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	// keep is how long an answer is given again at most; about as long as the
	// upstreams' answers about the newest minute are.
	keep = 15 * time.Second
	// renewAfter is the age from which on an answer that is still asked for is
	// worked out anew, while the old one is given.
	renewAfter = 7 * time.Second
	// mostAnswers bounds the memory for answers.
	mostAnswers = 2000
)

// memory gives the same answer to those who ask the same at about the same
// time: engines poll, and so do all their replicas. It is a matter of speed
// alone; without it every answer would be the same, and some seconds newer.
type memory[T any] struct {
	answers *otter.Cache[string, *remembered[T]]
	now     func() time.Time
	turn    chan struct{} // of renewals: they leave the processors to those who wait
	// lifetime ends the work when the data source is replaced.
	lifetime context.Context
	cancel   context.CancelFunc
}

type remembered[T any] struct {
	answer   T
	at       time.Time
	renewing atomic.Bool
}

func newMemory[T any](now func() time.Time) *memory[T] {
	lifetime, cancel := context.WithCancel(context.Background())
	return &memory[T]{lifetime: lifetime, cancel: cancel, now: now, turn: make(chan struct{}, 1), answers: otter.Must(&otter.Options[string, *remembered[T]]{
		MaximumSize:      mostAnswers,
		ExpiryCalculator: otter.ExpiryWriting[string, *remembered[T]](keep),
	})}
}

func (m *memory[T]) close() {
	m.cancel()
	m.answers.InvalidateAll()
	m.answers.StopAllGoroutines()
}

// ask gives a remembered answer, or works it out once for all who ask. Errors
// are not remembered. One asker's leaving does not end the work of the others:
// it has the deadline of the hooks.
func (m *memory[T]) ask(ctx context.Context, key string, limit time.Duration, work func(context.Context) (T, error)) (answer T, err error) {
	if known, ok := m.answers.GetIfPresent(key); ok {
		if m.now().Sub(known.at) >= renewAfter && known.renewing.CompareAndSwap(false, true) {
			go m.renew(ctx, key, limit, work)
		}
		return known.answer, nil
	}
	type result struct {
		known *remembered[T]
		err   error
	}
	done := make(chan result, 1)
	go func() {
		working, cancel := m.working(ctx, limit)
		defer cancel()
		known, err := m.answers.Get(working, key, otter.LoaderFunc[string, *remembered[T]](func(ctx context.Context, _ string) (*remembered[T], error) {
			return m.answer(ctx, work)
		}))
		done <- result{known, err}
	}()
	select {
	case found := <-done:
		if found.err != nil {
			return answer, found.err
		}
		return found.known.answer, nil
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// renew replaces an answer. Where that fails the old one is forgotten, and the
// next asker is told why.
func (m *memory[T]) renew(ctx context.Context, key string, limit time.Duration, work func(context.Context) (T, error)) {
	working, cancel := m.working(ctx, limit)
	defer cancel()
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-working.Done():
		return
	}
	if renewed, err := m.answer(working, work); err == nil {
		m.answers.Set(key, renewed)
	} else {
		m.answers.Invalidate(key)
	}
}

// working is a context that outlives the asker, but not the data source.
func (m *memory[T]) working(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	working, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(m.lifetime, cancel)
	return working, func() { stop(); cancel() }
}

func (m *memory[T]) answer(ctx context.Context, work func(context.Context) (T, error)) (known *remembered[T], err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("working out an answer panicked: %v", problem)
		}
	}()
	begun := m.now()
	answer, err := work(ctx)
	if err != nil {
		return nil, err
	}
	return &remembered[T]{answer: answer, at: begun}, nil
}
