package query

import (
	"cmp"
	"fmt"
	"time"
)

// Forecast asks what a metric will be.
type Forecast struct {
	Common
	// Expr is the metric, in PromQL.
	Expr string `json:"expr" jsonschema:"minLength=1,maxLength=65536"`
	// Filters narrow every series that Expr selects.
	Filters []Filter `json:"filters,omitempty" jsonschema:"maxItems=50"`
	// Model is "auto" (default) or a model's name.
	Model string `json:"model,omitempty"`
	// Horizon is how far beyond the end of the window to look. Default: a
	// quarter of the window, at least ten steps.
	Horizon Duration `json:"horizon,omitempty"`
	// History is how far back to learn from. Default 14d.
	History Duration `json:"history,omitempty"`
	// Step overrides the step that follows from the panel's resolution.
	Step Duration `json:"step,omitempty"`
	// Probability of the prediction interval. Default 0.95.
	Probability float64 `json:"probability,omitempty"`
	// NonNegative says that the quantity cannot fall below zero. Default true.
	NonNegative *bool `json:"nonNegative,omitempty"`
	// TimeZone is the IANA name of the place whose clock days and weeks follow
	// when daylight saving begins or ends, as "Europe/Berlin". Default UTC.
	TimeZone string `json:"timeZone,omitempty"`
	// Legend names the series, as in Prometheus' legend: {{label}}. Default:
	// the labels that tell the series apart.
	Legend string `json:"legend,omitempty"`
}

// Type implements Query.
func (Forecast) Type() Type { return TypeForecast }

// WithDefaults fills in what was not asked for. The horizon stays open: it
// follows from the window.
func (q Forecast) WithDefaults() Forecast {
	q.Common = q.withDefaults()
	q.Model = cmp.Or(q.Model, DefaultModel)
	q.History = cmp.Or(q.History, DefaultHistory)
	q.Probability = cmp.Or(q.Probability, DefaultForecastProbability)
	q.NonNegative = orTrue(q.NonNegative)
	return q
}

// Validate implements Query.
func (q Forecast) Validate() error {
	return first(
		checkFormat(TypeForecast, q.Format),
		checkExpr(q.Expr, "forecast"),
		checkFilters(q.Filters),
		checkModel(q.Model),
		checkDuration("history", q.History, minHistory, maxHistory),
		checkDuration("horizon", q.Horizon, minStep, maxHorizon),
		checkDuration("step", q.Step, minStep, maxStep),
		checkOrder("horizon", q.Horizon, q.Step),
		checkOrder("history", q.History, q.Step),
		checkProbability(q.Probability),
		checkTimeZone(q.TimeZone),
		checkName("legend", q.Legend),
	)
}

// Location is that of the time zone, UTC where it is unknown.
func (q Forecast) Location() *time.Location { return locationOf(q.TimeZone) }

// Location is that of the time zone, UTC where it is unknown.
func (q Anomaly) Location() *time.Location { return locationOf(q.TimeZone) }

// Location is that of the time zone, UTC where it is unknown.
func (q Composite) Location() *time.Location { return locationOf(q.TimeZone) }

func locationOf(timeZone string) *time.Location {
	location, err := time.LoadLocation(timeZone)
	if err != nil {
		return time.UTC
	}
	return location
}

// checkTimeZone refuses "Local", too: it would mean another place on every
// server.
func checkTimeZone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == time.Local.String() {
		return fmt.Errorf("timeZone: %.64q is not a time zone; write it like \"Europe/Berlin\"", name)
	}
	return nil
}
