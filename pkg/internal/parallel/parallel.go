// Package parallel runs functions side by side. A panic in one of them becomes
// its error. Unrecovered it would end the process, which serves every data
// source of a Grafana: only the goroutine that panics can catch it.
package parallel

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"golang.org/x/sync/errgroup"
)

// Group is errgroup's, with panics as errors.
type Group struct{ group *errgroup.Group }

// WithContext makes a group whose context ends with the first error.
func WithContext(ctx context.Context) (*Group, context.Context) {
	group, ctx := errgroup.WithContext(ctx)
	return &Group{group}, ctx
}

func (g *Group) inner() *errgroup.Group {
	if g.group == nil {
		g.group = &errgroup.Group{}
	}
	return g.group
}

// SetLimit bounds how many functions run at once.
func (g *Group) SetLimit(n int) { g.inner().SetLimit(n) }

// Go runs a function in a goroutine of its own.
func (g *Group) Go(work func() error) {
	g.inner().Go(func() error { return Safely(work) })
}

// Wait waits for all functions and returns the first error.
func (g *Group) Wait() error { return g.inner().Wait() }

// Go runs a function that nobody waits for. A panic is logged.
func Go(work func()) {
	go func() { _ = Safely(func() error { work(); return nil }) }()
}

// Safely runs a function and makes a panic its error. The stack is logged.
func Safely(work func() error) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			log.DefaultLogger.Error("A panic was recovered", "panic", problem, "stack", string(debug.Stack()))
			err = fmt.Errorf("an internal error, a panic: %v", problem)
		}
	}()
	return work()
}
