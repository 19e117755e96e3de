package query

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// TypeBudget asks for error budgets, and TypeObjectives for the names of the
// objectives.
const (
	TypeBudget     Type = "budget"
	TypeObjectives Type = "objectives"
)

// DefaultObjectiveWindow is the window of an objective that names none.
const DefaultObjectiveWindow = Duration(30 * 24 * time.Hour)

// BudgetView is a part of the answer about error budgets.
type BudgetView string

// The views of a budget.
const (
	BudgetSummary BudgetView = "summary"
	BudgetSeries  BudgetView = "series"
	BudgetParts   BudgetView = "parts"
	BudgetAlerts  BudgetView = "alerts"
)

// BudgetMeasure is the number that a rule gets.
type BudgetMeasure string

// The measures of a budget.
const (
	BudgetProbability BudgetMeasure = "probability"
	BudgetLeft        BudgetMeasure = "left"
	BudgetBurn        BudgetMeasure = "burn"
	BudgetPage        BudgetMeasure = "page"
	BudgetTicket      BudgetMeasure = "ticket"
)

// Budget asks what is left of error budgets, what burnt them, and how likely they
// are exhausted within the horizon.
type Budget struct {
	Common
	// Objective is the name of an objective: of the settings, of Sloth's or Pyrra's
	// recorded series or, with a target, of the one in the query. Default: every one
	// that is found.
	Objective string `json:"objective,omitempty"`
	// Service is the service.name. It narrows what is found. With a target and
	// without expressions, its requests under well-known names are counted.
	Service string `json:"service,omitempty"`
	// Target is the share of requests that must be good, as 0.999. With it the query
	// has an objective of its own.
	Target float64 `json:"target,omitempty" jsonschema:"minimum=0,maximum=1"`
	// Window is that of the objective in the query. Default 30d.
	Window Duration `json:"window,omitempty"`
	// Errors and Good are PromQL of the bad and of the good requests per second; give
	// one of both, and Total. Errors without Total is the share of bad requests. The
	// range is best $__rate_interval.
	Errors string `json:"errors,omitempty" jsonschema:"maxLength=65536"`
	// Good is written like Errors.
	Good string `json:"good,omitempty" jsonschema:"maxLength=65536"`
	// Total is PromQL of all requests per second.
	Total string `json:"total,omitempty" jsonschema:"maxLength=65536"`
	// Latency is, with a service and a target, how long a good request may take: the
	// share of the target must be as fast. Default: requests are bad that fail.
	Latency Duration `json:"latency,omitempty"`
	// Horizon is how far to look ahead. Default 3d, or a quarter of a window shorter
	// than 12d.
	Horizon Duration `json:"horizon,omitempty"`
	// View chooses what a panel shows: "summary" (default) for the tables of budgets
	// and of what burnt them, "parts" for the second alone, "series" for what is left
	// over time and ahead, "alerts" for the multi-window burn-rate alerts.
	View BudgetView `json:"view,omitempty" jsonschema:"enum=summary,enum=series,enum=parts,enum=alerts"`
	// Measure is the number that a rule gets: the "probability" (default) of
	// exhaustion within the horizon, the part of the budget "left", the "burn" rate of
	// the last hour, or 1 while a multi-window burn-rate alert of the severity "page"
	// or "ticket" fires, and 0 while none does.
	Measure BudgetMeasure `json:"measure,omitempty" jsonschema:"enum=probability,enum=left,enum=burn,enum=page,enum=ticket"`
}

// Type implements Query.
func (Budget) Type() Type { return TypeBudget }

// WithDefaults fills in what was not asked for.
func (q Budget) WithDefaults() Budget {
	q.Common = q.withDefaults()
	q.Window = cmp.Or(q.Window, DefaultObjectiveWindow)
	q.View = cmp.Or(q.View, BudgetSummary)
	q.Measure = cmp.Or(q.Measure, BudgetProbability)
	return q
}

// Validate implements Query.
func (q Budget) Validate() error {
	return first(
		checkFormat(TypeBudget, q.Format),
		checkName("objective", q.Objective),
		checkName("service", q.Service),
		q.checkTarget(),
		checkDuration("window", q.Window, time.Hour, maxHistory),
		CheckIndicator(q.Errors, q.Good, q.Total),
		checkDuration("latency", q.Latency, time.Millisecond, time.Hour),
		checkDuration("horizon", q.Horizon, minStep, maxHorizon),
		checkChoice("view", string(q.View), string(BudgetSummary), string(BudgetSeries), string(BudgetParts), string(BudgetAlerts)),
		checkChoice("measure", string(q.Measure), string(BudgetProbability), string(BudgetLeft), string(BudgetBurn), string(BudgetPage), string(BudgetTicket)),
	)
}

// Names are the names of the objectives that are asked for, also as Grafana writes
// several values of a variable; none for every one.
func (q Budget) Names() []string {
	names := []string{q.Objective}
	if inner, several := inside(strings.TrimSpace(q.Objective), "{", "}"); several {
		names = strings.Split(inner, ",")
	}
	return slices.DeleteFunc(distinct(names), func(name string) bool { return name == "" })
}

// Own says that the query has an objective of its own.
func (q Budget) Own() bool { return q.Target != 0 }

func (q Budget) checkTarget() error {
	given := q.Errors != "" || q.Good != "" || q.Total != ""
	switch {
	case q.Target == 0 && (given || q.Latency != 0):
		return errors.New("target is missing: write the share of requests that must be good, as 0.999")
	case q.Target == 0:
		return nil
	case !(q.Target > 0 && q.Target < 1):
		return errors.New("target must lie between 0 and 1, as 0.999 does for 99.9 %")
	case given && q.Latency != 0:
		return errors.New("latency is for the metrics of a service under well-known names: leave it out beside expressions")
	case !given && q.Service == "":
		return errors.New("service is missing: name the service whose requests are counted, or give errors and total")
	}
	return nil
}

// CheckIndicator says what is wrong with the expressions by which requests are
// counted; nil for nothing, also where there are none.
func CheckIndicator(bad, good, total string) error {
	switch {
	case bad != "" && good != "":
		return errors.New("errors and good contradict each other: give one of both")
	case good != "" && total == "":
		return errors.New("total is missing: good requests are counted out of all")
	case total != "" && bad == "" && good == "":
		return errors.New("errors is missing: write PromQL of the bad requests, or good for the good ones")
	}
	return first(checkLength("errors", bad, maxExpr), checkLength("good", good, maxExpr), checkLength("total", total, maxExpr))
}

// Objectives asks for the names of the objectives.
type Objectives struct{ Common }

// Type implements Query.
func (Objectives) Type() Type { return TypeObjectives }

// WithDefaults fills in what was not asked for.
func (q Objectives) WithDefaults() Objectives { return Objectives{q.withDefaults()} }

// Validate implements Query.
func (q Objectives) Validate() error { return checkFormat(TypeObjectives, q.Format) }
