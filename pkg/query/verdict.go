package query

import (
	"cmp"
	"fmt"
)

// TypeVerdict asks for a decision over a canary.
const TypeVerdict Type = "verdict"

// DefaultMargin is the rise in the share of errors that is still acceptable.
const DefaultMargin = 0.001

// Verdict asks whether a new version should be rolled out further: from the
// errors and slow requests that metrics count for both versions, and from their
// traces.
type Verdict struct {
	Common
	// Service is the service.name that is rolled out.
	Service string `json:"service" jsonschema:"minLength=1"`
	// Operation is the span name of the requests; empty for all.
	Operation string `json:"operation,omitempty"`
	// Baseline is by default the version before the candidate's; of its fields
	// only version is read.
	Baseline Population `json:"baseline,omitzero"`
	// Candidate is by default the newest version; of its fields only version is
	// read.
	Candidate Population `json:"candidate,omitzero"`
	// Margin is the rise in the share of errors, 0 to 1, that is still
	// acceptable. Default 0.001.
	Margin float64 `json:"margin,omitempty"`
	// MaxTraces is the sample size of each side. Default 400.
	MaxTraces int `json:"maxTraces,omitempty"`
}

// Type implements Query.
func (Verdict) Type() Type { return TypeVerdict }

// WithDefaults fills in what was not asked for.
func (q Verdict) WithDefaults() Verdict {
	q.Common = q.withDefaults()
	q.Margin = cmp.Or(q.Margin, DefaultMargin)
	q.MaxTraces = cmp.Or(q.MaxTraces, DefaultMaxTraces)
	return q
}

// Diff is the comparison of traces that the verdict takes in.
func (q Verdict) Diff() TraceDiff {
	return TraceDiff{Common: q.Common, Service: q.Service, Operation: q.Operation,
		Baseline: q.Baseline, Candidate: q.Candidate, MaxTraces: q.MaxTraces}
}

// Validate implements Query.
func (q Verdict) Validate() error {
	diff := q.Diff()
	diff.Format = ""
	return first(
		checkFormat(TypeVerdict, q.Format),
		diff.Validate(),
		checkOnlyVersion("baseline", q.Baseline),
		checkOnlyVersion("candidate", q.Candidate),
		checkMargin(q.Margin),
	)
}

func checkOnlyVersion(side string, p Population) error {
	if p != (Population{Version: p.Version}) {
		return fmt.Errorf("%s of a verdict can only name a version: both versions are watched at the same time", side)
	}
	return nil
}

func checkMargin(margin float64) error {
	if !(margin > 0 && margin < 1) {
		return fmt.Errorf("margin is %g; it must lie between 0 and 1 (0.001 for one request in a thousand)", margin)
	}
	return nil
}
