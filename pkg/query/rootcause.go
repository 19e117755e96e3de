package query

import (
	"cmp"
	"fmt"
	"slices"
)

// RootCause asks what is to blame for a change between two populations of
// traces, which are chosen as for a trace diff, or for an abnormal signal.
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
	// Signal asks why the service's latency or errors are abnormal, deploy or not:
	// metrics tell since when, and traces of that time are compared with those
	// before. With any, the more abnormal of both is explained. Without a trace store
	// metrics alone answer, as with any where none is named.
	Signal string `json:"signal,omitempty" jsonschema:"enum=latency,enum=errors,enum=any"`
	// View changes ranks the deploys of all services in the window by metrics, in
	// place of comparing populations: new pods with old ones in the same minutes,
	// or before with after.
	View CauseView `json:"view,omitempty" jsonschema:"enum=changes"`
	// MaxTraces is the sample size of each side. Default 400.
	MaxTraces int `json:"maxTraces,omitempty"`
}

// CauseView is how a root cause is looked for.
type CauseView string

// AnySignal asks for latency or errors, whichever is the more abnormal.
const AnySignal = "any"

// Changes ranks deploys.
const Changes CauseView = "changes"

// Type implements Query.
func (RootCause) Type() Type { return TypeRootCause }

// WithDefaults fills in what was not asked for.
func (q RootCause) WithDefaults() RootCause {
	q.Common = q.withDefaults()
	q.MaxTraces = cmp.Or(q.MaxTraces, DefaultMaxTraces)
	return q
}

// Validate implements Query.
func (q RootCause) Validate() error {
	return first(
		checkFormat(TypeRootCause, q.Format),
		checkService(q.Service, "whose requests changed"),
		checkName("operation", q.Operation),
		checkSides(q.Baseline, q.Candidate),
		checkSignal(q.Signal),
		checkChoice("view", string(q.View), string(Changes)),
		checkRange("maxTraces", float64(q.MaxTraces), 0, maxMaxTraces),
	)
}

func checkSignal(signal string) error {
	if !slices.Contains([]string{"", "latency", "errors", AnySignal}, signal) {
		return fmt.Errorf("signal is %.40q: choose latency, errors or any", signal)
	}
	return nil
}
