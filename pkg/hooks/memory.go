package hooks

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
type memory struct {
	answers *otter.Cache[string, *remembered]
	now     func() time.Time
	turn    chan struct{} // of renewals: they leave the processors to those who wait
	// lifetime ends the work when the data source is replaced.
	lifetime context.Context
	cancel   context.CancelFunc
}

type remembered struct {
	rows     []row
	at       time.Time
	renewing atomic.Bool
}

func newMemory(now func() time.Time) *memory {
	lifetime, cancel := context.WithCancel(context.Background())
	return &memory{lifetime: lifetime, cancel: cancel, now: now, turn: make(chan struct{}, 1), answers: otter.Must(&otter.Options[string, *remembered]{
		MaximumSize:      mostAnswers,
		ExpiryCalculator: otter.ExpiryWriting[string, *remembered](keep),
	})}
}

func (m *memory) close() {
	m.cancel()
	m.answers.InvalidateAll()
	m.answers.StopAllGoroutines()
}

// ask gives a remembered answer, or works it out once for all who ask. Errors
// are not remembered. One asker's leaving does not end the work of the others:
// it has the deadline of the hooks.
func (m *memory) ask(ctx context.Context, key string, limit time.Duration, work func(context.Context) ([]row, error)) ([]row, error) {
	if known, ok := m.answers.GetIfPresent(key); ok {
		if m.now().Sub(known.at) >= renewAfter && known.renewing.CompareAndSwap(false, true) {
			go m.renew(ctx, key, limit, work)
		}
		return known.rows, nil
	}
	type result struct {
		known *remembered
		err   error
	}
	done := make(chan result, 1)
	go func() {
		working, cancel := m.working(ctx, limit)
		defer cancel()
		known, err := m.answers.Get(working, key, otter.LoaderFunc[string, *remembered](func(ctx context.Context, _ string) (*remembered, error) {
			return m.answer(ctx, work)
		}))
		done <- result{known, err}
	}()
	select {
	case found := <-done:
		if found.err != nil {
			return nil, found.err
		}
		return found.known.rows, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// renew replaces an answer. Where that fails the old one is forgotten, and the
// next asker is told why.
func (m *memory) renew(ctx context.Context, key string, limit time.Duration, work func(context.Context) ([]row, error)) {
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
func (m *memory) working(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	working, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(m.lifetime, cancel)
	return working, func() { stop(); cancel() }
}

func (m *memory) answer(ctx context.Context, work func(context.Context) ([]row, error)) (known *remembered, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("working out an answer panicked: %v", problem)
		}
	}()
	begun := m.now()
	rows, err := work(ctx)
	if err != nil {
		return nil, err
	}
	return &remembered{rows: rows, at: begun}, nil
}
