// Package shop is a small system of services that can be broken. It simulates
// requests as discrete events and tells about them through the OpenTelemetry
// SDK: spans with explicit times and metrics, as instrumented services would.
package shop

import (
	"container/heap"
	"iter"
	"time"
)

// engine runs processes in simulated time, one at a time and in a fixed order,
// so that the same seed gives the same events.
type engine struct {
	now    time.Time
	events eventQueue
	count  uint64
}

// at runs f at t.
func (e *engine) at(t time.Time, f func()) {
	e.count++
	heap.Push(&e.events, event{t, e.count, f})
}

// runUntil processes every event up to and including t.
func (e *engine) runUntil(t time.Time) {
	for len(e.events) > 0 && !e.events[0].time.After(t) {
		next := heap.Pop(&e.events).(event)
		e.now = next.time
		next.run()
	}
	e.now = t
}

// process is a coroutine that waits in simulated time.
type process struct {
	engine  *engine
	suspend func()
	resume  func()
}

// spawn starts body as a process of its own, now.
func (e *engine) spawn(body func(*process)) {
	p := &process{engine: e}
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		p.suspend = func() { yield(struct{}{}) }
		body(p)
	})
	p.resume = func() {
		if _, suspended := next(); !suspended {
			stop()
		}
	}
	e.at(e.now, p.resume)
}

// wait suspends the process for d.
func (p *process) wait(d time.Duration) {
	p.engine.at(p.engine.now.Add(d), p.resume)
	p.suspend()
}

// parallel runs the bodies as processes of their own and waits for all.
func (p *process) parallel(bodies ...func(*process)) {
	running := len(bodies)
	for _, body := range bodies {
		p.engine.spawn(func(child *process) {
			body(child)
			if running--; running == 0 {
				p.engine.at(p.engine.now, p.resume)
			}
		})
	}
	p.suspend()
}

type event struct {
	time  time.Time
	count uint64 // breaks ties in the order of scheduling
	run   func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if q[i].time.Equal(q[j].time) {
		return q[i].count < q[j].count
	}
	return q[i].time.Before(q[j].time)
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
