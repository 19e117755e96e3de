// Package slo computes error budgets: what is left of them, how fast they burn, what
// burnt them, and when they will be exhausted.
package slo

import (
	"errors"
	"fmt"
	"time"
)

// ErrBadRequest says that an objective, or what is counted for it, makes no sense.
var ErrBadRequest = errors.New("bad request")

// Objective is the share of requests that must be good over a window that moves
// on with time.
type Objective struct {
	// Name and Service identify it. Service may be empty.
	Name, Service string
	// Target is that share, between 0 and 1.
	Target float64
	Window time.Duration
	// Indicator describes how its requests are counted, as it is defined.
	// Two objectives of one name with other indicators contradict each other.
	Indicator string
}

// The shortest and the longest window of an objective.
const (
	MinWindow = time.Hour
	MaxWindow = 90 * 24 * time.Hour
)

// Budget is the share of requests that may be bad.
func (o Objective) Budget() float64 { return 1 - o.Target }

// Title names the objective for people.
func (o Objective) Title() string {
	if o.Service == "" || o.Service == o.Name {
		return o.Name
	}
	return o.Service + " " + o.Name
}

// Validate says what is wrong with an objective; the error wraps ErrBadRequest.
func (o Objective) Validate() error {
	switch {
	case o.Name == "":
		return fmt.Errorf("%w: an objective has no name", ErrBadRequest)
	case !(o.Target > 0 && o.Target < 1):
		return fmt.Errorf("%w: the target of %s is %g; it must lie between 0 and 1, as 0.999 does", ErrBadRequest, o.Title(), o.Target)
	case o.Window < MinWindow || o.Window > MaxWindow:
		return fmt.Errorf("%w: the window of %s is %s; it must be between an hour and 90 days", ErrBadRequest, o.Title(), o.Window)
	}
	return nil
}

// Check refuses objectives that make no sense, and those that contradict each
// other: of one service and name, with another target, window or indicator. Equal
// ones are one.
func Check(all []Objective) error {
	known := map[[2]string]Objective{}
	for _, o := range all {
		if err := o.Validate(); err != nil {
			return err
		}
		key := [2]string{o.Service, o.Name}
		earlier, is := known[key]
		if is && earlier != o {
			return fmt.Errorf("%w: the objective %s is defined twice, with %s: remove one, or give it another name", ErrBadRequest, o.Title(), difference(earlier, o))
		}
		known[key] = o
	}
	return nil
}

// difference says in what two objectives of one name differ.
func difference(a, b Objective) string {
	switch {
	case a.Target != b.Target:
		return fmt.Sprintf("the targets %g and %g", a.Target, b.Target)
	case a.Window != b.Window:
		return fmt.Sprintf("the windows %s and %s", a.Window, b.Window)
	}
	return fmt.Sprintf("the indicators %q and %q", a.Indicator, b.Indicator)
}
