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
	TypeRootCause  Type = "rootCause"
	TypeServiceMap Type = "serviceMap"
	TypePatterns   Type = "patterns"
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
	// AskedFormat is the format as it was asked for; empty where it was not.
	AskedFormat() Format
}

// Common is part of every query.
type Common struct {
	// SchemaVersion is the version of the query language. Default: the newest.
	SchemaVersion int `json:"schemaVersion,omitempty" jsonschema:"minimum=0,maximum=1"`
	// Format is empty for "panel", or "alert" where a rule asks.
	Format Format `json:"format,omitempty" jsonschema:"enum=panel,enum=alert,enum=annotations"`
}

// AskedFormat implements Query.
func (c Common) AskedFormat() Format { return c.Format }

// View narrows the panel form of a trace diff to one of its frames. Grafana's
// flame graph panel draws the first frame and no other, so a panel asks for
// the frame it shows.
type View string

// The views; empty is all of them, the flame graph first.
const (
	FlameGraph View = "flameGraph"
	Summary    View = "summary"
	Paths      View = "paths"
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

// Anomaly asks what about a metric is unusual.
type Anomaly struct {
	Common
	// Expr is the metric, in PromQL.
	Expr string `json:"expr" jsonschema:"minLength=1,maxLength=65536"`
	// Filters narrow every series that Expr selects.
	Filters []Filter `json:"filters,omitempty" jsonschema:"maxItems=50"`
	// Model of the expectation: "auto" (default) or a forecast model's name.
	Model string `json:"model,omitempty"`
	// History is how far back to learn from. Default 14d.
	History Duration `json:"history,omitempty"`
	// Step overrides the step that follows from the panel's resolution.
	Step Duration `json:"step,omitempty"`
	// Probability of the band. Default 0.99.
	Probability float64 `json:"probability,omitempty"`
	// Direction is "both" (default), "above" or "below".
	Direction string `json:"direction,omitempty" jsonschema:"enum=both,enum=above,enum=below"`
	// MinDeviation is the smallest deviation that counts, in the metric's unit.
	MinDeviation float64 `json:"minDeviation,omitempty"`
	// Threshold is the score from which on there is an event. Default 75.
	Threshold float64 `json:"threshold,omitempty"`
	// Detectors that judge, by name. Default: those that need no choice.
	Detectors []string `json:"detectors,omitempty"`
	// NonNegative says that the quantity cannot fall below zero. Default true.
	NonNegative *bool `json:"nonNegative,omitempty"`
	// Feedback says of past events whether they were real; five of either kind
	// re-rank the events of the window. Annotations in Grafana tagged
	// foresight:true or foresight:false are added to it.
	Feedback []Feedback `json:"feedback,omitempty" jsonschema:"maxItems=500"`
	// Legend names the series, as in Prometheus' legend: {{label}}. Default:
	// the labels that tell the series apart.
	Legend string `json:"legend,omitempty"`
	// Live keeps a panel that ends now up to date through Grafana Live. The
	// frontend reads it; the answer is the same.
	Live bool `json:"live,omitempty"`
}

// Feedback is what a person says of an event.
type Feedback struct {
	// Time lies in the event: RFC 3339, milliseconds since the epoch, or relative
	// to the end of the window ("-30m").
	Time string `json:"time" jsonschema:"minLength=1"`
	// Real is false for a false alarm.
	Real *bool `json:"real"`
}

// Deploys asks which versions of a service were seen and when each arrived.
type Deploys struct {
	Common
	// Service is the service.name; empty for every service.
	Service string `json:"service,omitempty"`
}

// Population selects one side of a trace diff. Empty fields take the default
// of the side.
type Population struct {
	// Version is the service.version.
	Version string `json:"version,omitempty"`
	// From is the population's begin: RFC 3339, milliseconds since the epoch, or
	// relative to the end of the window ("-30m").
	From string `json:"from,omitempty"`
	// To is the end of the population, written like From.
	To string `json:"to,omitempty"`
	// TraceQL is a further spanset filter.
	TraceQL string `json:"traceQL,omitempty"`
	// Ago, of a baseline, puts it so long before the candidate, over the same
	// time: the same hour one ("1d") or seven days ago ("7d").
	Ago Duration `json:"ago,omitempty"`
}

// TraceDiff asks what changed between two populations of traces.
type TraceDiff struct {
	Common
	// Service is the service.name whose requests are compared.
	Service string `json:"service" jsonschema:"minLength=1"`
	// Operation is the span name of the compared requests; empty for all.
	Operation string `json:"operation,omitempty"`
	// Baseline is by default the version before the newest one in the window.
	Baseline Population `json:"baseline,omitzero"`
	// Candidate is by default the newest version seen in the window.
	Candidate Population `json:"candidate,omitzero"`
	// MaxTraces is the sample size of each side. Default 400.
	MaxTraces int `json:"maxTraces,omitempty"`
	// View is the frame a panel shows; empty for all.
	View View `json:"view,omitempty" jsonschema:"enum=flameGraph,enum=summary,enum=paths"`
}

// Services asks for the names of all services.
type Services struct{ Common }

// Operations asks for the operations (span names) of a service.
type Operations struct {
	Common
	// Service is the service.name.
	Service string `json:"service" jsonschema:"minLength=1"`
}

// Versions asks for the versions of a service.
type Versions struct {
	Common
	// Service is the service.name.
	Service string `json:"service" jsonschema:"minLength=1"`
}

// Type implements Query.
func (Forecast) Type() Type   { return TypeForecast }
func (Anomaly) Type() Type    { return TypeAnomaly }
func (Deploys) Type() Type    { return TypeDeploys }
func (TraceDiff) Type() Type  { return TypeTraceDiff }
func (Services) Type() Type   { return TypeServices }
func (Operations) Type() Type { return TypeOperations }
func (Versions) Type() Type   { return TypeVersions }
