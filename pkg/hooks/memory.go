package hooks

import (
	"context"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	// keep is how long an answer is given again: as long as the upstreams'
	// answers about the newest minute are.
	keep = 10 * time.Second
	// mostAnswers bounds the memory for answers.
	mostAnswers = 2000
)

// memory gives the same answer to those who ask the same at about the same
// time: engines poll, and so do all their replicas. It is a matter of speed
// alone; without it every answer would be the same.
type memory struct {
	answers *otter.Cache[string, []row]
	// lifetime ends the work when the data source is replaced.
	lifetime context.Context
	cancel   context.CancelFunc
}

func newMemory() *memory {
	lifetime, cancel := context.WithCancel(context.Background())
	return &memory{lifetime: lifetime, cancel: cancel, answers: otter.Must(&otter.Options[string, []row]{
		MaximumSize:      mostAnswers,
		ExpiryCalculator: otter.ExpiryWriting[string, []row](keep),
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
	type result struct {
		rows []row
		err  error
	}
	if rows, ok := m.answers.GetIfPresent(key); ok {
		return rows, nil
	}
	done := make(chan result, 1)
	go func() {
		working, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		defer context.AfterFunc(m.lifetime, cancel)()
		rows, err := m.answers.Get(working, key, otter.LoaderFunc[string, []row](func(ctx context.Context, _ string) (rows []row, err error) {
			defer func() {
				if problem := recover(); problem != nil {
					err = fmt.Errorf("working out an answer panicked: %v", problem)
				}
			}()
			return work(ctx)
		}))
		done <- result{rows, err}
	}()
	select {
	case found := <-done:
		return found.rows, found.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
