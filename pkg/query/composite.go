package query

import "cmp"

// TypeComposite asks for one score per service.
const TypeComposite Type = "composite"

// Composite asks how unusual a service is, all its signals taken together.
type Composite struct {
	Common
	// Service is the service.name.
	Service string `json:"service" jsonschema:"minLength=1"`
	// History is how far back to learn from. Default 14d.
	History Duration `json:"history,omitempty"`
	// Step overrides the step that follows from the panel's resolution.
	Step Duration `json:"step,omitempty"`
	// Quantiles of latency that are signals, between 0 and 1. Default: those of the
	// settings, or 0.95.
	Quantiles []float64 `json:"quantiles,omitempty" jsonschema:"maxItems=5"`
	// Threshold is the score from which on there is an event. Default 75.
	Threshold float64 `json:"threshold,omitempty"`
	// TimeZone is the IANA name of the place whose clock days and weeks follow
	// when daylight saving begins or ends, as "Europe/Berlin". Default UTC.
	TimeZone string `json:"timeZone,omitempty"`
	// Value is what a rule gets: "number" (default) or "firing", 1 or 0 by the
	// threshold.
	Value Value `json:"value,omitempty" jsonschema:"enum=number,enum=firing"`
	// View is what a panel shows: "graph" (default), or "table" with the score of
	// now and what is unusual.
	View View `json:"view,omitempty" jsonschema:"enum=graph,enum=table"`
}

// Type implements Query.
func (Composite) Type() Type { return TypeComposite }

// WithDefaults fills in what was not asked for.
func (q Composite) WithDefaults() Composite {
	q.Common = q.withDefaults()
	q.History = cmp.Or(q.History, DefaultHistory)
	q.Threshold = cmp.Or(q.Threshold, DefaultThreshold)
	return q
}

// Validate implements Query.
func (q Composite) Validate() error {
	return first(
		checkFormat(TypeComposite, q.Format),
		checkView(q.View),
		checkValue(q.Value),
		checkService(q.Service, "to judge"),
		checkDuration("history", q.History, minHistory, maxHistory),
		checkDuration("step", q.Step, minStep, maxStep),
		checkOrder("history", q.History, q.Step),
		checkRange("threshold", q.Threshold, 0, 100),
		checkTimeZone(q.TimeZone),
		checkQuantiles(q.Quantiles),
	)
}
