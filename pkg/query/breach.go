package query

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"
)

// TypeBreach asks for an early warning.
const TypeBreach Type = "breach"

// DefaultBreachHorizon is how far ahead an early warning looks.
const DefaultBreachHorizon = Duration(time.Hour)

// Breach asks how likely a metric crosses a threshold soon, and when.
type Breach struct {
	Common
	// Expr is the metric, in PromQL.
	Expr string `json:"expr,omitempty" jsonschema:"maxLength=65536"`
	// Service is whose resources are watched in place of Expr: memory, processor,
	// threads, file descriptors, disk, queue, connections and others under well-known
	// names, each as a share of its limit.
	Service string `json:"service,omitempty"`
	// Resources are those that are watched. Default: all that have a limit.
	Resources []string `json:"resources,omitempty" jsonschema:"maxItems=20"`
	// Filters narrow every series that Expr selects.
	Filters []Filter `json:"filters,omitempty" jsonschema:"maxItems=50"`
	// Threshold is the limit, in the metric's unit. Of a service it is 1, which is
	// the limit of each resource.
	Threshold *float64 `json:"threshold,omitempty"`
	// Direction is "above" (default) where the limit must not be reached from
	// below, "below" where it must not be reached from above.
	Direction string `json:"direction,omitempty" jsonschema:"enum=above,enum=below"`
	// Horizon is how far to look ahead. Default 1h.
	Horizon Duration `json:"horizon,omitempty"`
	// History is how far back to learn from. Default 14d.
	History Duration `json:"history,omitempty"`
	// Step overrides the step that follows from the panel's resolution.
	Step Duration `json:"step,omitempty"`
	// TimeZone is the IANA name of the place whose clock days and weeks follow
	// when daylight saving begins or ends, as "Europe/Berlin". Default UTC.
	TimeZone string `json:"timeZone,omitempty"`
	// Legend names the series, as in Prometheus' legend: {{label}}. Default:
	// the labels that tell the series apart.
	Legend string `json:"legend,omitempty"`
	// Value is what a rule gets: "number" (default) or "firing", 1 or 0 by the
	// probability, from 0.8 until below 0.5.
	Value Value `json:"value,omitempty" jsonschema:"enum=number,enum=firing"`
	// View is what a panel shows: "graph" (default), or "table" with when each series
	// reaches the limit.
	View View `json:"view,omitempty" jsonschema:"enum=graph,enum=table"`
}

// Type implements Query.
func (Breach) Type() Type { return TypeBreach }

// WithDefaults fills in what was not asked for.
func (q Breach) WithDefaults() Breach {
	q.Common = q.withDefaults()
	q.Direction = cmp.Or(q.Direction, "above")
	q.Horizon = cmp.Or(q.Horizon, DefaultBreachHorizon)
	q.History = cmp.Or(q.History, DefaultHistory)
	return q
}

// Validate implements Query.
func (q Breach) Validate() error {
	return first(
		checkFormat(TypeBreach, q.Format),
		checkView(q.View),
		checkValue(q.Value),
		q.checkSubject(),
		checkFilters(q.Filters),
		checkChoice("direction", q.Direction, "above", "below"),
		checkDuration("horizon", q.Horizon, minStep, maxHorizon),
		checkDuration("history", q.History, minHistory, maxHistory),
		checkDuration("step", q.Step, minStep, maxStep),
		checkOrder("horizon", q.Horizon, q.Step),
		checkOrder("history", q.History, q.Step),
		checkTimeZone(q.TimeZone),
		checkName("legend", q.Legend),
	)
}

// Location is that of the time zone, UTC where it is unknown.
func (q Breach) Location() *time.Location { return locationOf(q.TimeZone) }

// checkSubject checks what is watched, and up to which limit.
func (q Breach) checkSubject() error {
	const most = 20
	switch {
	case q.Service == "" && len(q.Resources) > 0:
		return errors.New("resources are those of a service: name the service, or leave them out")
	case q.Service == "":
		return first(checkExpr(q.Expr, "watch"), checkThreshold(q.Threshold))
	case q.Expr != "":
		return errors.New("expr and service exclude each other: leave one out")
	case q.Direction == "below":
		return errors.New("direction is below: the resources of a service are used up from below; leave it out")
	case len(q.Resources) > most:
		return fmt.Errorf("resources has %d names; at most %d are allowed", len(q.Resources), most)
	case q.Threshold == nil:
		return checkService(q.Service, "to watch")
	}
	return first(checkService(q.Service, "to watch"), checkThreshold(q.Threshold))
}

func checkThreshold(threshold *float64) error {
	if threshold == nil {
		return errors.New("threshold is missing: write the value that must not be reached")
	}
	if !(math.Abs(*threshold) <= maxMinDeviation) {
		return fmt.Errorf("threshold is %g; it must be a finite number", *threshold)
	}
	return nil
}
