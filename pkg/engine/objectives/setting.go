// Package objectives answers what is left of error budgets, what burnt them, and
// when they will be exhausted.
package objectives

import (
	"cmp"
	"time"

	"github.com/foresight-observability/foresight/pkg/slo"
)

// Setting is an objective and how its requests are counted.
type Setting struct {
	Name, Service string
	Target        float64
	Window        time.Duration
	// Errors, Good and Total are PromQL of requests per second; see query.Budget.
	Errors, Good, Total string
	// Source is where it was found, for people.
	Source string
	// burn is PromQL of the share of bad requests over a time, where it is recorded;
	// nil where it follows from the expressions.
	burn func(over time.Duration) string
}

// Objective is the setting as the domain knows it.
func (s Setting) Objective() slo.Objective {
	return slo.Objective{
		Name: s.Name, Service: s.Service, Target: s.Target, Window: s.Window,
		Indicator: cmp.Or(s.Errors, s.Good) + " of " + s.Total,
	}
}

// Check refuses settings that make no sense or contradict each other.
func Check(settings []Setting) error {
	all := make([]slo.Objective, len(settings))
	for i, s := range settings {
		all[i] = s.Objective()
	}
	return slo.Check(all)
}
