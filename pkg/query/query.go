// Package query is Foresight's query language: one typed struct per query
// type, with its defaults and its validation. Alert rules and provisioned
// dashboards never pass through an editor, so every default lives here.
package query

// Type names a question.
type Type string

// The query types that are answered.
const (
	TypeForecast   Type = "forecast"
	TypeAnomaly    Type = "anomaly"
	TypeDeploys    Type = "deploys"
	TypeTraceDiff  Type = "traceDiff"
	TypeServices   Type = "services"
	TypeOperations Type = "operations"
	TypeVersions   Type = "versions"
)

// Format is the shape of an answer.
type Format string

// The formats.
const (
	Panel       Format = "panel"
	Alert       Format = "alert"
	Annotations Format = "annotations"
)

// SchemaVersion is the version of the query language that this code speaks.
const SchemaVersion = 1

// Query is any of the typed queries of this package.
type Query interface {
	Type() Type
	// Validate says in the asker's words what is wrong; nil for nothing.
	Validate() error
}

// Common is part of every query.
type Common struct {
	SchemaVersion int `json:"schemaVersion,omitempty"`
	// Format is empty for "panel", or "alert" where a rule asks.
	Format Format `json:"format,omitempty"`
}

// Forecast asks what a metric will be.
type Forecast struct {
	Common
	Expr  string `json:"expr"`            // PromQL
	Model string `json:"model,omitempty"` // "auto" or a model's name
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
	NonNegative *bool  `json:"nonNegative,omitempty"`
	Legend      string `json:"legend,omitempty"` // as Prometheus' legend: {{label}}
}

// Anomaly asks what about a metric is unusual.
type Anomaly struct {
	Common
	Expr    string   `json:"expr"`
	Model   string   `json:"model,omitempty"`
	History Duration `json:"history,omitempty"`
	Step    Duration `json:"step,omitempty"`
	// Probability of the band. Default 0.99.
	Probability float64 `json:"probability,omitempty"`
	// Direction is "both" (default), "above" or "below".
	Direction string `json:"direction,omitempty"`
	// MinDeviation is the smallest deviation that counts, in the metric's unit.
	MinDeviation float64 `json:"minDeviation,omitempty"`
	// Threshold is the score from which on there is an event. Default 75.
	Threshold   float64 `json:"threshold,omitempty"`
	NonNegative *bool   `json:"nonNegative,omitempty"`
	Legend      string  `json:"legend,omitempty"`
}

// Deploys asks which versions of a service were seen and when each arrived.
type Deploys struct {
	Common
	Service string `json:"service,omitempty"` // empty: every service
}

// Population selects one side of a trace diff. Empty fields take the default
// of the side.
type Population struct {
	Version string `json:"version,omitempty"`
	// From and To bound the population: RFC 3339, milliseconds since the epoch,
	// or relative to the end of the window ("-30m").
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	TraceQL string `json:"traceQL,omitempty"`
}

// TraceDiff asks what changed between two populations of traces.
type TraceDiff struct {
	Common
	Service   string `json:"service"`
	Operation string `json:"operation,omitempty"` // span name
	// Baseline and Candidate are by default the version before the newest and
	// the newest version seen in the window.
	Baseline  Population `json:"baseline,omitzero"`
	Candidate Population `json:"candidate,omitzero"`
	// MaxTraces is the sample size of each side. Default 400.
	MaxTraces int `json:"maxTraces,omitempty"`
}

// Services asks for the names of all services.
type Services struct{ Common }

// Operations asks for the operations (span names) of a service.
type Operations struct {
	Common
	Service string `json:"service"`
}

// Versions asks for the versions of a service.
type Versions struct {
	Common
	Service string `json:"service"`
}

// Type implements Query.
func (Forecast) Type() Type   { return TypeForecast }
func (Anomaly) Type() Type    { return TypeAnomaly }
func (Deploys) Type() Type    { return TypeDeploys }
func (TraceDiff) Type() Type  { return TypeTraceDiff }
func (Services) Type() Type   { return TypeServices }
func (Operations) Type() Type { return TypeOperations }
func (Versions) Type() Type   { return TypeVersions }
