package budget

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Shares says how what a gate has is divided.
type Shares struct {
	// What names the thing that is shared, for messages: "questions at once".
	What string
	// Total is all there is.
	Total int64
	// Reserved is the part of it that interactive requests cannot take; engines
	// can take half of that part, rules all of it.
	Reserved int64
	// Lent is the part of what is reserved that interactive requests may take all
	// the same while neither rules nor engines had anything for Quiet.
	Lent  int64
	Quiet time.Duration
	// PerUser and PerSource are the most that one user, and all interactive
	// requests to one data source, may have; 0 for no limit.
	PerUser, PerSource int64
	// MaxWaiting is how many requests of one user, and ten times that of all, may
	// wait; 0 for no limit.
	MaxWaiting int
	// MaxWait is how long a request waits at most; 0 for as long as its context.
	MaxWait time.Duration
	// Unit writes an amount for messages; nil for a plain number.
	Unit func(int64) string
}

// Gate lets requests in as long as there is room. The others wait: rules go
// first, then engines, then those whose user has the least.
type Gate struct {
	shares Shares

	mu      sync.Mutex
	used    [classes]int64
	users   map[string]int64
	sources map[string]int64
	queue   []*waiter
	waiting map[string]int // by user
	busyAt  time.Time      // when a rule or an engine last took or gave something
}

type waiter struct {
	caller Caller
	amount int64
	let    chan struct{}
}

// NewGate makes a gate.
func NewGate(shares Shares) *Gate {
	return &Gate{shares: shares, users: map[string]int64{}, sources: map[string]int64{}, waiting: map[string]int{}}
}

// Acquire takes an amount for the context's caller, and waits for it where it
// has to. Whoever gets it without an error must call release once.
func (g *Gate) Acquire(ctx context.Context, amount int64) (release func(), err error) {
	caller := CallerOf(ctx)
	if err := g.take(ctx, caller, amount); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { g.give(caller, amount) }), nil
}

func (g *Gate) take(ctx context.Context, caller Caller, amount int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if most := g.most(caller); amount > most {
		g.mu.Unlock()
		return &Refused{Scope: OfRequest, Reason: fmt.Sprintf("this request needs %s of %s, more than the %s that one may have", g.text(amount), g.shares.What, g.text(most))}
	}
	if len(g.queue) == 0 && g.fits(caller, amount) || caller.Class == Rule && g.fits(caller, amount) {
		g.add(caller, amount)
		g.mu.Unlock()
		return nil
	}
	if err := g.full(caller); err != nil {
		g.mu.Unlock()
		return err
	}
	w := &waiter{caller, amount, make(chan struct{})}
	g.queue = append(g.queue, w)
	g.waiting[caller.User]++
	g.admit()
	g.mu.Unlock()

	var late <-chan time.Time
	if g.shares.MaxWait > 0 {
		timer := time.NewTimer(g.shares.MaxWait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-w.let:
		return nil
	case <-ctx.Done():
		err := ctx.Err()
		return g.leave(w, err)
	case <-late:
		g.mu.Lock()
		err := g.busy(caller, fmt.Sprintf("no room for it within %s", g.shares.MaxWait))
		g.mu.Unlock()
		return g.leave(w, err)
	}
}

// leave takes a request out of the queue. One that was let in meanwhile gives
// back what it got.
func (g *Gate) leave(w *waiter, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queue, w)
	if i < 0 {
		g.subtract(w.caller, w.amount)
		g.admit()
		return err
	}
	g.remove(i)
	return err
}

func (g *Gate) remove(i int) {
	w := g.queue[i]
	g.queue = slices.Delete(g.queue, i, i+1)
	if g.waiting[w.caller.User]--; g.waiting[w.caller.User] == 0 {
		delete(g.waiting, w.caller.User)
	}
}

func (g *Gate) give(caller Caller, amount int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.subtract(caller, amount)
	g.admit()
}

// admit lets in those who wait, as far as there is room.
func (g *Gate) admit() {
	for {
		best := -1
		for i, w := range g.queue {
			if g.fits(w.caller, w.amount) && (best < 0 || g.before(w, g.queue[best])) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		w := g.queue[best]
		g.remove(best)
		g.add(w.caller, w.amount)
		close(w.let)
	}
}

// before tells whether a request goes before one that waits for longer.
func (g *Gate) before(later, earlier *waiter) bool {
	order := cmp.Or(
		cmp.Compare(earlier.caller.Class, later.caller.Class),
		cmp.Compare(g.users[later.caller.User], g.users[earlier.caller.User]),
	)
	return order < 0
}

// most is what the caller could have in an idle process.
func (g *Gate) most(caller Caller) int64 {
	switch s := g.shares; caller.Class {
	case Rule:
		return s.Total
	case Engine:
		return limited(s.Total-g.ofRules(), engineShare(s.PerUser))
	default:
		return limited(limited(s.Total-s.Reserved+s.Lent, s.PerUser), s.PerSource)
	}
}

// ofRules is the part that only rules can take.
func (g *Gate) ofRules() int64 { return g.shares.Reserved - g.shares.Reserved/2 }

// engineShare is more than a person's: one service account stands for all that
// an engine looks after.
func engineShare(perUser int64) int64 { return 2 * perUser }

func limited(amount, limit int64) int64 {
	if limit > 0 {
		return min(amount, limit)
	}
	return amount
}

func (g *Gate) fits(caller Caller, amount int64) bool {
	s := g.shares
	all := g.used[Interactive] + g.used[Engine] + g.used[Rule]
	if all+amount > s.Total {
		return false
	}
	within := func(used, limit int64) bool { return limit <= 0 || used+amount <= limit }
	switch caller.Class {
	case Rule:
		return true
	case Engine:
		return g.used[Interactive]+g.used[Engine]+amount <= s.Total-g.ofRules() && within(g.users[caller.User], engineShare(s.PerUser))
	default:
		return g.used[Interactive]+amount <= s.Total-g.reserved() &&
			g.used[Interactive]+g.used[Engine]+amount <= s.Total-g.ofRules() &&
			within(g.users[caller.User], s.PerUser) && within(g.sources[caller.Source], s.PerSource)
	}
}

// reserved is what interactive requests cannot take at the moment.
func (g *Gate) reserved() int64 {
	s := g.shares
	if s.Lent > 0 && g.used[Engine]+g.used[Rule] == 0 && time.Since(g.busyAt) >= s.Quiet {
		return s.Reserved - s.Lent
	}
	return s.Reserved
}

// mark notes that rules or engines are at work.
func (g *Gate) mark(caller Caller) {
	if caller.Class != Interactive {
		g.busyAt = time.Now()
	}
}

func (g *Gate) add(caller Caller, amount int64) {
	g.mark(caller)
	g.used[caller.Class] += amount
	if caller.Class == Rule {
		return
	}
	g.users[caller.User] += amount
	if caller.Class == Interactive {
		g.sources[caller.Source] += amount
	}
}

func (g *Gate) subtract(caller Caller, amount int64) {
	g.mark(caller)
	g.used[caller.Class] -= amount
	if caller.Class == Rule {
		return
	}
	if g.users[caller.User] -= amount; g.users[caller.User] == 0 {
		delete(g.users, caller.User)
	}
	if caller.Class == Interactive {
		if g.sources[caller.Source] -= amount; g.sources[caller.Source] == 0 {
			delete(g.sources, caller.Source)
		}
	}
}

// full refuses those who come while too many wait already. Rules always may.
func (g *Gate) full(caller Caller) error {
	most := g.shares.MaxWaiting
	if most <= 0 || caller.Class == Rule {
		return nil
	}
	if g.waiting[caller.User] >= most {
		return g.busy(caller, fmt.Sprintf("%d requests of this user wait already", most))
	}
	if len(g.queue) >= 10*most {
		return g.busy(caller, fmt.Sprintf("%d requests wait already", len(g.queue)))
	}
	return nil
}

// busy says whose limit a request met.
func (g *Gate) busy(caller Caller, why string) error {
	s := g.shares
	if used := g.users[caller.User]; s.PerUser > 0 && 2*used >= s.PerUser {
		return &Refused{Scope: OfUser, RetryAfter: retryAfter,
			Reason: fmt.Sprintf("this user has too much under way: %s of at most %s of %s are taken, and %s", g.text(used), g.text(s.PerUser), s.What, why)}
	}
	return &Refused{Scope: OfProcess, RetryAfter: retryAfter,
		Reason: fmt.Sprintf("Foresight has too much under way: %s of %s are taken, and %s", g.text(g.used[Interactive]+g.used[Engine]+g.used[Rule]), s.What, why)}
}

// retryAfter is when a busy process is likely to have room again.
const retryAfter = 2 * time.Second

func (g *Gate) text(amount int64) string {
	if g.shares.Unit != nil {
		return g.shares.Unit(amount)
	}
	return strconv.FormatInt(amount, 10)
}

// Used is how much is taken now.
func (g *Gate) Used() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used[Interactive] + g.used[Engine] + g.used[Rule]
}
