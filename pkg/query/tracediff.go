package query

import "cmp"

// View narrows the panel form of a trace diff to one of its frames. Grafana's
// flame graph panel draws the first frame and no other, so a panel asks for
// the frame it shows.
type View string

// The views; empty is all of them but the attributes, the flame graph first.
const (
	FlameGraph View = "flameGraph"
	Summary    View = "summary"
	Paths      View = "paths"
	// Percentiles are the durations of the requests on both sides.
	Percentiles View = "percentiles"
	// Attributes is what tells the two populations apart, whatever they are: slow
	// requests and fast ones, say, chosen by TraceQL.
	Attributes View = "attributes"
)

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
	View View `json:"view,omitempty" jsonschema:"enum=flameGraph,enum=summary,enum=paths,enum=percentiles,enum=attributes"`
}

// Type implements Query.
func (TraceDiff) Type() Type { return TypeTraceDiff }

// WithDefaults fills in what was not asked for. The populations stay open:
// they follow from the versions in the window.
func (q TraceDiff) WithDefaults() TraceDiff {
	q.Common = q.withDefaults()
	q.MaxTraces = cmp.Or(q.MaxTraces, DefaultMaxTraces)
	return q
}

// Validate implements Query.
func (q TraceDiff) Validate() error {
	return first(
		checkFormat(TypeTraceDiff, q.Format),
		checkService(q.Service, "whose traces to compare"),
		checkName("operation", q.Operation),
		q.Baseline.validate("baseline"),
		q.Candidate.validate("candidate"),
		checkDistinct(q.Baseline, q.Candidate),
		checkRange("maxTraces", float64(q.MaxTraces), 0, maxMaxTraces),
		checkChoice("view", string(q.View), string(FlameGraph), string(Summary), string(Paths), string(Percentiles), string(Attributes)),
	)
}
