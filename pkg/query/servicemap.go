package query

import "cmp"

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

// Type implements Query.
func (ServiceMap) Type() Type { return TypeServiceMap }

// WithDefaults fills in what was not asked for.
func (q ServiceMap) WithDefaults() ServiceMap {
	q.Common = q.withDefaults()
	q.Compare = cmp.Or(q.Compare, SinceDeploy)
	q.MaxTraces = cmp.Or(q.MaxTraces, DefaultMaxTraces)
	return q
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
