// Package cause ranks what is to blame for a change between two populations of
// traces. It rests on the comparison of call paths, and weighs in what else is
// known: which services were deployed, which inefficient patterns came, what
// metrics say of pools, processors and queues.
package cause

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// Kind says in which way a suspect is to blame.
type Kind string

// The kinds.
const (
	OwnWork    Kind = "own_work"    // a service's own work takes longer
	Statement  Kind = "statement"   // a statement of a database takes longer
	Database   Kind = "database"    // most statements of a service's database take longer
	Outside    Kind = "outside"     // a callee that sends no spans takes longer
	WayTo      Kind = "way_to"      // the way to one callee: its accept queue, the network
	Starved    Kind = "starved"     // the way to several callees: the caller's processor or pool
	MoreCalls  Kind = "more_calls"  // a caller makes a call more often
	FewerCalls Kind = "fewer_calls" // a caller makes a call less often
	NewCall    Kind = "new_call"    // a caller makes a call that it did not make
	LostCall   Kind = "lost_call"   // a caller no longer makes a call: it returns early
	Errors     Kind = "errors"      // failures begin here
	PoolWait   Kind = "pool_wait"   // a service waits for connections of its pool
	LostCache  Kind = "lost_cache"  // a service asks its database for what a cache used to answer
	Unplaced   Kind = "unplaced"    // slower as a whole; no call below explains it
)

// Deploy is a version that arrived between the two populations.
type Deploy struct {
	Service, Previous, Version string
	At                         time.Time
}

// Signal is what a metric of a service did.
type Signal struct {
	Service     string
	Kind        SignalKind
	Title       string // "requests waiting for a connection"
	Unit        string // "s", "%" or empty
	Before, Now float64
	// Worse says that the metric is beyond all that it was before, Better that it
	// is below all that.
	Worse, Better bool
	Query         string
}

// SignalKind is the resource that a metric watches.
type SignalKind string

// The resources.
const (
	Pool      SignalKind = "pool"
	Processor SignalKind = "processor"
	Backlog   SignalKind = "backlog"
)

// Evidence is what is known besides the comparison. All of it may be empty.
type Evidence struct {
	Deploys  []Deploy
	Patterns []pattern.Finding
	Pauses   []pattern.Pause
	Signals  []Signal
}

// Result is the ranked suspects.
type Result struct {
	Verdict  diff.Verdict
	Reason   string // why the verdict is what it is
	Suspects []Suspect
	// Victims are operations that changed because of what they call, the nearest
	// to the entry first.
	Victims []string
	// Hints are services to look at first where nothing is proven, the strongest
	// evidence first.
	Hints []diff.Hint
}

// Suspect is a likely cause.
type Suspect struct {
	Kind Kind
	// Service and Operation are to blame; Call is what they call where that is
	// what changed, and Callee the service it reaches.
	Service, Operation string
	Call, Callee       string
	Example            string // the raw statement, URL or span name
	Path               string // key of the call path with the strongest evidence
	Endpoints          []string
	// Share is the part of the endpoint's change that this explains, 0–1: of
	// its mean duration, or of its failed requests for errors.
	Share float64
	// PerRequest is by how much it changed the endpoint's mean duration, in
	// nanoseconds; 0 for errors.
	PerRequest float64
	// Finding is the strongest evidence, with the effect's 95 % interval.
	Finding diff.Finding
	// Course is how the difference developed in the candidate.
	diff.Course
	// Explanations are circumstances in which it is slow or fails, and in others
	// not.
	Explanations []diff.Explanation
	// Confidence is the suspect's weight among all suspects, 0–1: share and
	// evidence, and what deploys, patterns and metrics add.
	Confidence float64
	// Reasons can be checked by a person, the strongest first.
	Reasons                             []string
	BaselineExamples, CandidateExamples []trace.TraceID

	weight float64
	pause  *pattern.Pause // of a wait that sends no spans
	paths  []string       // of all evidence
	// traced says that the evidence lies on a caller, and was traced down.
	traced bool
}
