// Package incident finds what is abnormal across services and groups it along the
// dependency map and in time into incidents, one for each cause.
//
// Everything is judged step by step with what was known at that step. The same
// data, looked at a minute later, therefore tells the same story with one more
// step, and an incident keeps its identity for as long as its begin is in the
// data.
package incident

import (
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// Signal is what is abnormal of a service.
type Signal string

// The signals.
const (
	Latency  Signal = "latency"
	Failures Signal = "errors"
	// Silence is that most of a service's requests are gone, or all its metrics.
	Silence Signal = "silence"
	// Lost is that callers send requests that do not arrive.
	Lost Signal = "lost demand"
)

// Service holds the metrics of a service or of anything else that is called. All
// series have one value per step, NaN where there is none.
type Service struct {
	Name     string
	Requests []float64 // number in each step
	Latency  []float64 // mean, in seconds
	Failed   []float64 // share of the requests, 0–1
	// Sent is the number of requests in each step as callers count them, and
	// SentFailed the share of those that failed for the caller; nil where no caller
	// counts.
	Sent, SentFailed []float64
	// Peer says that only callers measure it, such as a database: what its callers
	// ask of it and what it is like cannot be told apart.
	Peer bool
	// Places tell the requests apart by where they were served; none where that is
	// not known.
	Places []Place
}

// Place is a zone or a host that serves a part of a service's requests.
type Place struct {
	Kind, Name string // such as "zone", "eu-west-1a"
	Requests   []float64
	Failed     []float64 // share of the requests, 0–1
}

// Change is something that was done to a service, such as a deploy.
type Change struct {
	Service string
	Step    int
	Text    string // for people
}

// Record holds the metrics, calls and changes of a fleet.
type Record struct {
	Services []Service
	Calls    []propagation.Call
	Changes  []Change
	// From is the first step from which incidents are reported; the steps before
	// teach what is normal.
	From int
}

// State is where an incident stands at the last step.
type State string

// The states.
const (
	// Developing incidents are seen, but too young to wake anybody: what is deepest
	// may still be unknown.
	Developing State = "developing"
	Active     State = "active"
	Resolved   State = "resolved"
)

// Kind is what an incident is suspected to come from.
type Kind string

// The kinds of causes.
const (
	CauseChange     Kind = "change"
	CauseDependency Kind = "dependency" // something that is called, and has no metrics of its own
	CauseLoad       Kind = "load"
	CausePlace      Kind = "place"     // a zone or host
	CauseShared     Kind = "shared"    // many at once, for a reason that is not on the map
	CauseTelemetry  Kind = "telemetry" // metrics are missing, requests are not
	CauseDemand     Kind = "demand"    // requests are lost before they arrive
	CauseService    Kind = "service"   // the deepest service itself; more is unknown
)

// Evidence speaks for or against the suspected cause.
type Evidence struct {
	For  bool
	Text string
}

// Cause is the suspected cause of an incident.
type Cause struct {
	Kind Kind
	// Name is what is suspected: a service, a dependency, or a place. Empty where
	// nothing on the map is.
	Name     string
	Text     string
	Evidence []Evidence
}

// Member is a service that went wrong in an incident.
type Member struct {
	Service string
	Signals []Signal // in the order in which they went wrong
	Start   int      // first abnormal step
	// Because is the abnormal service that it calls, or is called by, and that
	// explains it; empty for those where the incident began.
	Because string
	joined  int // the step at which it was known to belong to the incident
	// Deviation is the largest, in standard deviations.
	Deviation float64
	// Before and Now are the level and the worst value of its first signal.
	Before, Now float64
}

// Incident is one cause with all that went wrong because of it.
type Incident struct {
	// ID stays the same while the incident lasts: the name of what was suspected
	// when it was first reported.
	ID    string
	State State
	// Start is the first abnormal step, Reported the step at which it was certain
	// enough to report (-1 if it never was), and End the step after the last
	// abnormal one, or after the last step of the record.
	Start, Reported, End int
	// Members are the services that went wrong, in that order.
	Members []Member
	// Deepest is the service along the calls at which the incident began.
	Deepest string
	Cause   Cause
	// Affected is the number of requests per step that failed or were slow beyond
	// normal, at the services that nothing else of the incident calls.
	Affected float64
}

// Result is the incidents of a record, those that are not resolved first, then by
// start.
type Result struct {
	Incidents []Incident
	// Unjudged are services with too little data to judge any signal.
	Unjudged []string
}

// Find groups what is abnormal into incidents.
func Find(r Record) Result {
	m := newFleet(r)
	m.detect()
	result := Result{Unjudged: m.unjudged}
	if len(m.episodes) == 0 {
		return result
	}
	for _, t := range m.replay() {
		if incident, reported := m.report(t); reported {
			result.Incidents = append(result.Incidents, incident)
		}
	}
	slices.SortStableFunc(result.Incidents, func(a, b Incident) int {
		if (a.State == Resolved) != (b.State == Resolved) {
			if a.State == Resolved {
				return 1
			}
			return -1
		}
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return result
}
