package query

import "cmp"

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

// Type implements Query.
func (Patterns) Type() Type { return TypePatterns }

// WithDefaults fills in what was not asked for.
func (q Patterns) WithDefaults() Patterns {
	q.Common = q.withDefaults()
	q.Compare = cmp.Or(q.Compare, SinceDeploy)
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
