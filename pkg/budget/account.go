package budget

import (
	"context"
	"fmt"
	"sync"
)

// Account holds what one request has taken of the process' memory. It is given
// back when the account is closed, and all of it at once.
//
// A nil account takes nothing: work outside of any request is not counted.
type Account struct {
	gate   *Gate
	caller Caller
	max    int64    // bytes of one request
	whole  *Account // the request's own account; itself for that one

	mu     sync.Mutex
	held   int64 // of this account
	total  int64 // of the whole request, in its own account only
	shares []*Account
	refs   int
}

type accountKey struct{}

// Open gives the work below a context an account of its own.
func Open(ctx context.Context, gate *Gate, most int64) (context.Context, *Account) {
	a := &Account{gate: gate, caller: CallerOf(ctx), max: most, refs: 1}
	a.whole = a
	return context.WithValue(ctx, accountKey{}, a), a
}

func accountOf(ctx context.Context) *Account {
	a, _ := ctx.Value(accountKey{}).(*Account)
	return a
}

// Part is an account for a step of a request: what the step takes is given back
// when it ends, but counts towards the request until then.
func Part(ctx context.Context) (context.Context, *Account) {
	of := accountOf(ctx)
	if of == nil {
		return ctx, nil
	}
	a := &Account{gate: of.gate, caller: of.caller, max: of.max, whole: of.whole, refs: 1}
	return context.WithValue(ctx, accountKey{}, a), a
}

// Detached is an account for work that may outlive the request it was begun
// for, because others wait for it too.
func Detached(ctx context.Context) (context.Context, *Account) {
	of := accountOf(ctx)
	if of == nil {
		return ctx, nil
	}
	return Open(ctx, of.gate, of.max)
}

// Charge takes bytes before they are allocated, and waits a little where there
// is no room. The error is a *Refused, or the context's.
func Charge(ctx context.Context, bytes int64) error {
	a := accountOf(ctx)
	if a == nil || bytes <= 0 {
		return ctx.Err()
	}
	if err := a.whole.grow(bytes); err != nil {
		return err
	}
	if err := a.gate.take(ctx, a.caller, bytes); err != nil {
		a.whole.shrink(bytes)
		return err
	}
	a.mu.Lock()
	a.held += bytes
	closed := a.refs == 0
	a.mu.Unlock()
	if closed { // whoever asked has left
		a.release()
	}
	return nil
}

func (a *Account) grow(bytes int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.total+bytes > a.max {
		return &Refused{Scope: OfRequest, Reason: fmt.Sprintf("the answer needs more than the %s of memory that one request may use: ask for a shorter time range, a larger step or fewer series", MiB(a.max))}
	}
	a.total += bytes
	return nil
}

func (a *Account) shrink(bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total -= bytes
}

// Keep makes the context's account hold another one open: the answer that was
// charged to it is in use until both are closed.
func Keep(ctx context.Context, shared *Account) {
	a := accountOf(ctx)
	if a == nil || shared == nil || !shared.retain() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shares = append(a.shares, shared)
}

func (a *Account) retain() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refs == 0 {
		return false
	}
	a.refs++
	return true
}

// Close gives back what the account holds, unless others keep it.
func (a *Account) Close() {
	if a == nil {
		return
	}
	a.mu.Lock()
	a.refs--
	last := a.refs == 0
	shares := a.shares
	if last {
		a.shares = nil
	}
	a.mu.Unlock()
	if !last {
		return
	}
	a.release()
	for _, shared := range shares {
		shared.Close()
	}
}

func (a *Account) release() {
	a.mu.Lock()
	held := a.held
	a.held = 0
	a.mu.Unlock()
	if held > 0 {
		a.whole.shrink(held)
		a.gate.give(a.caller, held)
	}
}
