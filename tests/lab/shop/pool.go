package shop

import (
	"slices"
	"time"
)

// pool is a bounded set of connections with a first-come queue, as database
// drivers keep: all are open all the time, and waits and timeouts follow from load and hold times alone.
type pool struct {
	engine        *engine
	name          string
	max           int
	used          int
	waiting       []*waiter
	timeouts      int64
	acquireWithin time.Duration // 0: wait for ever
}

type waiter struct {
	process *process
	settled bool // served or timed out
	served  bool
}

// acquire takes a connection and says whether it got one in time.
func (p *pool) acquire(process *process) bool {
	if p.used < p.max {
		p.used++
		return true
	}
	w := &waiter{process: process}
	p.waiting = append(p.waiting, w)
	if p.acquireWithin > 0 {
		p.engine.at(p.engine.now.Add(p.acquireWithin), func() { p.giveUp(w) })
	}
	process.suspend()
	return w.served
}

// release hands the connection to the first in the queue.
func (p *pool) release() {
	if len(p.waiting) == 0 {
		p.used--
		return
	}
	next := p.waiting[0]
	p.waiting = p.waiting[1:]
	next.settled, next.served = true, true
	p.engine.at(p.engine.now, next.process.resume)
}

// giveUp ends the wait of one that has not been served.
func (p *pool) giveUp(w *waiter) {
	if w.settled {
		return
	}
	w.settled = true
	p.timeouts++
	p.waiting = slices.DeleteFunc(p.waiting, func(other *waiter) bool { return other == w })
	w.process.resume()
}
