package budget

import (
	"context"
	"sync"
)

// Turn is a processor for the work of one goroutine, which takes it while it
// computes and gives it back while it waits. The zero of all methods, a nil
// Turn, does nothing.
type Turn struct {
	gate *Gate

	mu      sync.Mutex
	release func() // nil while the processor is not held
}

type turnKey struct{}

// WithTurn gives the work below a context a turn of its own, not yet taken. It
// must be given back at the end.
func WithTurn(ctx context.Context, processors *Gate) (context.Context, *Turn) {
	turn := &Turn{gate: processors}
	return context.WithValue(ctx, turnKey{}, turn), turn
}

// TurnOf is the turn of the context's goroutine; nil for none.
func TurnOf(ctx context.Context) *Turn {
	turn, _ := ctx.Value(turnKey{}).(*Turn)
	return turn
}

// Take waits for a processor, unless the turn has one.
func (t *Turn) Take(ctx context.Context) error {
	if t == nil || t.taken() {
		return ctx.Err()
	}
	release, err := t.gate.Acquire(ctx, 1)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.release = release
	return nil
}

// Give gives the processor back.
func (t *Turn) Give() {
	if t == nil {
		return
	}
	t.mu.Lock()
	release := t.release
	t.release = nil
	t.mu.Unlock()
	if release != nil {
		release()
	}
}

func (t *Turn) taken() bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.release != nil
}

// Compute does work that keeps a processor busy when one is free for the
// context's caller. Where the work has to wait for something it does so in Wait.
func Compute(ctx context.Context, processors *Gate, work func(context.Context) error) error {
	if TurnOf(ctx).taken() {
		return work(ctx)
	}
	ctx, turn := WithTurn(ctx, processors)
	if err := turn.Take(ctx); err != nil {
		return err
	}
	defer turn.Give()
	return work(ctx)
}

// Wait does what waits for others, and lets them have the processor meanwhile.
func Wait(ctx context.Context, wait func(context.Context) error) error {
	turn := TurnOf(ctx)
	if !turn.taken() {
		return wait(ctx)
	}
	turn.Give()
	if err := wait(context.WithValue(ctx, turnKey{}, (*Turn)(nil))); err != nil {
		return err
	}
	return turn.Take(ctx)
}
