// Package budget shares what the process has among those who use it: questions
// under way, processors, bytes in flight. One plugin process serves every data
// source and organisation of a Grafana, so no caller may take all of it, and
// alert rules and engines have a part that nobody else can take.
package budget

import (
	"context"
	"fmt"
	"time"
)

// Class says how much a request matters to those who are not looking.
type Class int

// The classes, in the order in which waiting requests are let in last.
const (
	Interactive Class = iota // panels, Explore, HTTP callers
	Engine                   // service accounts on the routes of engines
	Rule                     // evaluations of alert rules
	classes
)

// Caller is on whose behalf work is done.
type Caller struct {
	Class Class
	// User is the same for all requests of one person or service account.
	User string
	// Source is the data source, the same for all its users.
	Source string
}

type callerKey struct{}

// WithCaller makes all work below the context count as the caller's.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerOf is on whose behalf the context works; an interactive request of
// nobody where that is unknown.
func CallerOf(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}

// Scope of a limit that refused a request.
type Scope int

// The scopes.
const (
	OfRequest Scope = iota // the request is too large, however idle the process is
	OfUser                 // the caller has too much under way
	OfProcess              // everybody together has
)

// Refused is the error of a request that would exceed a limit.
type Refused struct {
	Scope  Scope
	Reason string
	// RetryAfter is when asking again may help; 0 for never.
	RetryAfter time.Duration
}

func (e *Refused) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("%s. Try again in %s", e.Reason, e.RetryAfter)
	}
	return e.Reason
}

// MiB is for messages.
func MiB(bytes int64) string { return fmt.Sprintf("%.3g MiB", float64(bytes)/(1<<20)) }
