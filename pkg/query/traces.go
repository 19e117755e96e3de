package query

import "cmp"

// Compare says what a question about traces compares its population with.
type Compare string

// The comparisons.
const (
	// SinceDeploy compares the newest deploy in the window with the time before
	// it; without a deploy, nothing is compared.
	SinceDeploy Compare = "deploy"
	Nothing     Compare = "none"
)

// Patterns asks what makes requests needlessly slow: statements in loops, the
// same question twice, calls in a row, retries, waits.
type Patterns struct {
	Common
	// Service is the service.name whose requests are looked at.
	Service string `json:"service" jsonschema:"minLength=1"`
	// Operation is the span name of the requests; empty for all.
	Operation string `json:"operation,omitempty"`
	// Baseline is by default the version before the candidate's.
	Baseline Population `json:"baseline,omitzero"`
	// Candidate is by default the newest version, or the whole window where
	// nothing is compared.
	Candidate Population `json:"candidate,omitzero"`
	// Compare is "deploy" (default) or "none".
	Compare Compare `json:"compare,omitempty" jsonschema:"enum=deploy,enum=none"`
	// MaxTraces is the sample size of each side. Default 400.
	MaxTraces int `json:"maxTraces,omitempty"`
}

// ServiceMap asks which services call which, how often, how fast and how
// well, and what changed.
type ServiceMap struct {
	Common
	// Service narrows the map to requests that touch this service.name; empty
	// for all.
	Service string `json:"service,omitempty"`
	// Operation is the span name of those requests; empty for all.
	Operation string `json:"operation,omitempty"`
	// Baseline is by default the time before the newest deploy.
	Baseline Population `json:"baseline,omitzero"`
	// Candidate is by default the time since the newest deploy, or the whole
	// window where nothing is compared.
	Candidate Population `json:"candidate,omitzero"`
	// Compare is "deploy" (default) or "none".
	Compare Compare `json:"compare,omitempty" jsonschema:"enum=deploy,enum=none"`
	// MaxTraces is the sample size of each side. Default 400.
	MaxTraces int `json:"maxTraces,omitempty"`
}

// RootCause asks what is to blame for a change between two populations of
// traces, which are chosen as for a trace diff.
type RootCause struct {
	Common
	// Service is the service.name whose requests changed.
	Service string `json:"service" jsonschema:"minLength=1"`
	// Operation is the span name of the requests; empty for all.
	Operation string `json:"operation,omitempty"`
	// Baseline is by default the version before the newest one in the window.
	Baseline Population `json:"baseline,omitzero"`
	// Candidate is by default the newest version seen in the window.
	Candidate Population `json:"candidate,omitzero"`
	// MaxTraces is the sample size of each side. Default 400.
	MaxTraces int `json:"maxTraces,omitempty"`
}

// Type implements Query.
func (Patterns) Type() Type   { return TypePatterns }
func (ServiceMap) Type() Type { return TypeServiceMap }
func (RootCause) Type() Type  { return TypeRootCause }

// WithDefaults fills in what was not asked for.
func (q Patterns) WithDefaults() Patterns {
	q.Common = q.Common.withDefaults()
	q.Compare = cmp.Or(q.Compare, SinceDeploy)
	q.MaxTraces = cmp.Or(q.MaxTraces, DefaultMaxTraces)
	return q
}

// WithDefaults fills in what was not asked for.
func (q ServiceMap) WithDefaults() ServiceMap {
	q.Common = q.Common.withDefaults()
	q.Compare = cmp.Or(q.Compare, SinceDeploy)
	q.MaxTraces = cmp.Or(q.MaxTraces, DefaultMaxTraces)
	return q
}

// WithDefaults fills in what was not asked for.
func (q RootCause) WithDefaults() RootCause {
	q.Common = q.Common.withDefaults()
	q.MaxTraces = cmp.Or(q.MaxTraces, DefaultMaxTraces)
	return q
}

// Validate implements Query.
func (q Patterns) Validate() error {
	return first(
		checkFormat(TypePatterns, q.Format),
		checkService(q.Service, "whose traces to look at"),
		checkName("operation", q.Operation),
		checkSides(q.Baseline, q.Candidate),
		checkChoice("compare", string(q.Compare), string(SinceDeploy), string(Nothing)),
		checkRange("maxTraces", float64(q.MaxTraces), 0, maxMaxTraces),
	)
}

// Validate implements Query.
func (q ServiceMap) Validate() error {
	return first(
		checkFormat(TypeServiceMap, q.Format),
		checkName("service", q.Service),
		checkName("operation", q.Operation),
		checkSides(q.Baseline, q.Candidate),
		checkChoice("compare", string(q.Compare), string(SinceDeploy), string(Nothing)),
		checkRange("maxTraces", float64(q.MaxTraces), 0, maxMaxTraces),
	)
}

// Validate implements Query.
func (q RootCause) Validate() error {
	return first(
		checkFormat(TypeRootCause, q.Format),
		checkService(q.Service, "whose requests changed"),
		checkName("operation", q.Operation),
		checkSides(q.Baseline, q.Candidate),
		checkRange("maxTraces", float64(q.MaxTraces), 0, maxMaxTraces),
	)
}

func checkSides(baseline, candidate Population) error {
	return first(baseline.validate("baseline"), candidate.validate("candidate"), checkDistinct(baseline, candidate))
}
