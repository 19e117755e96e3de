// Package replay tells how a rule would have alerted: from evaluations in the
// past to states, as Grafana's alerting makes them, to pages, and to what the
// pages were worth. The same evaluations always give the same pages.
package replay

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Comparison is how a value is compared with a limit, by Grafana's name.
type Comparison string

// The comparisons of Grafana's threshold expression. Present holds for every
// value, as of a Prometheus rule, whose expression selects what alerts.
const (
	Above      Comparison = "gt"
	AtLeast    Comparison = "gte"
	Below      Comparison = "lt"
	AtMost     Comparison = "lte"
	Equal      Comparison = "eq"
	NotEqual   Comparison = "ne"
	Within     Comparison = "within_range"
	Outside    Comparison = "outside_range"
	WithinEnd  Comparison = "within_range_included"
	OutsideEnd Comparison = "outside_range_included"
	Present    Comparison = "present"
)

// Comparisons are all of them.
var Comparisons = []Comparison{Above, AtLeast, Below, AtMost, Equal, NotEqual, Within, Outside, WithinEnd, OutsideEnd, Present}

// Evaluator is a comparison with its limits: two for a range, one for the others.
type Evaluator struct {
	Type   Comparison
	Params []float64
}

// Validate says what is wrong; nil for nothing.
func (e Evaluator) Validate() error {
	limits := 1
	switch e.Type {
	case Within, Outside, WithinEnd, OutsideEnd:
		limits = 2
	case Present:
		limits = 0
	}
	switch {
	case !slices.Contains(Comparisons, e.Type):
		return fmt.Errorf("the comparison %.20q is unknown: use one of %v", string(e.Type), Comparisons)
	case len(e.Params) < limits:
		return fmt.Errorf("the comparison %s needs %d limits, not %d", e.Type, limits, len(e.Params))
	case slices.ContainsFunc(e.Params, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }):
		return fmt.Errorf("the limits of %s must be finite numbers", e.Type)
	}
	return nil
}

// Holds tells whether a value meets the comparison.
func (e Evaluator) Holds(v float64) bool {
	switch e.Type {
	case Above:
		return v > e.Params[0]
	case AtLeast:
		return v >= e.Params[0]
	case Below:
		return v < e.Params[0]
	case AtMost:
		return v <= e.Params[0]
	case Equal:
		return v == e.Params[0]
	case NotEqual:
		return v != e.Params[0]
	case Within:
		return v > e.Params[0] && v < e.Params[1]
	case Outside:
		return v < e.Params[0] || v > e.Params[1]
	case WithinEnd:
		return v >= e.Params[0] && v <= e.Params[1]
	case OutsideEnd:
		return v <= e.Params[0] || v >= e.Params[1]
	}
	return true
}

// falling says that smaller values are worse.
func (e Evaluator) falling() bool { return e.Type == Below || e.Type == AtMost }

// Outcome is what a rule makes of no data or of an error.
type Outcome string

// The outcomes, by Grafana's names.
const (
	AsNoData Outcome = "NoData" // an alert of its own
	AsError  Outcome = "Error"  // an alert of its own
	AsOK     Outcome = "OK"
	AsAlert  Outcome = "Alerting"
	KeepLast Outcome = "KeepLast"
)

// Rule is all that turns evaluations into pages.
type Rule struct {
	// Load is when an instance alerts; Unload, where it is set, is when it stops.
	Load   Evaluator
	Unload *Evaluator
	// Interval is how often the rule is evaluated, For how long it must hold, and
	// KeepFiring how long an alert goes on afterwards.
	Interval, For, KeepFiring time.Duration
	// NoData is what an instance without a value becomes (default NoData), Error
	// what a failed evaluation becomes (default Error).
	NoData, Error Outcome
	// MissingResolves is after how many evaluations without an instance its state
	// is forgotten. Default 2.
	MissingResolves int
}

func (r Rule) withDefaults() Rule {
	if r.NoData == "" {
		r.NoData = AsNoData
	}
	if r.Error == "" {
		r.Error = AsError
	}
	if r.MissingResolves <= 0 {
		r.MissingResolves = 2
	}
	return r
}

// alerts tells whether a value alerts. What is loaded already goes on until the
// unload comparison holds.
func (r Rule) alerts(v float64, loaded bool) bool {
	if loaded && r.Unload != nil {
		return !r.Unload.Holds(v)
	}
	return r.Load.Holds(v)
}
