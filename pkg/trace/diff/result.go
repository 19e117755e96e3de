// Package diff compares two populations of traces, call path by call path.
package diff

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Verdict is the answer to "is the candidate different from the baseline?".
type Verdict string

// The verdicts.
const (
	Regressed     Verdict = "regressed"
	Improved      Verdict = "improved"
	Changed       Verdict = "changed" // other calls, neither slower nor faster nor more errors
	NoChange      Verdict = "no_change"
	Insufficient  Verdict = "insufficient"
	NotComparable Verdict = "not_comparable"
)

// Result is the comparison of two populations.
type Result struct {
	Verdict Verdict
	// Reason says in one sentence why, with numbers: what a person reads first.
	Reason              string
	Baseline, Candidate PopulationSummary
	// NeededTraces is how many more traces of the candidate (or, where that is
	// the smaller side, the baseline) the question needs; 0 when decided.
	NeededTraces int
	// Paths are all compared call paths, the deepest responsible one first,
	// then by evidence and effect; those without findings last.
	Paths []Path
	// Suspects are the likely causes, the likeliest first; empty where nothing
	// was found, or only what explains next to nothing on weak evidence.
	Suspects []Suspect
	// Hints are services to look at first where there are no suspects, the
	// strongest evidence first: nothing is proven. Beside the suspects of a
	// regression they are those that answered last before callers broke off.
	Hints []Hint
	// Endpoints are the roots that were compared, the most changed first. Paths
	// are only ever compared within one endpoint.
	Endpoints []Endpoint
	// Notices say what was left out or repaired.
	Notices []string
}

// Endpoint is one kind of request: all traces with the same root path.
type Endpoint struct {
	Key               string // of the root path
	Service           string
	Operation         string
	Baseline          int // traces
	Candidate         int
	Verdict           Verdict
	BaselineDuration  Quantile
	CandidateDuration Quantile
	// Change is the ratio candidate/baseline of the durations (Hodges–Lehmann)
	// with its 95 % interval; all 1 where a side has no traces.
	Change, ChangeLower, ChangeUpper float64
	// MeanChange is the change of the mean duration, in nanoseconds. It is the
	// sum of Path.CallsEffect and Path.PerCallEffect over the endpoint's paths.
	MeanChange float64
}

// PopulationSummary describes one side.
type PopulationSummary struct {
	Traces     int
	Spans      int
	Incomplete int // traces with missing parents or a partial answer
	Start, End time.Time
}

// Path is one call path (the chain of service·operation·kind from the root) on
// both sides.
type Path struct {
	Key         string // stable text form of the whole chain
	Depth       int    // 0 is the root
	Parent      string // Key of the calling path; empty for a root
	Service     string
	Operation   string // normalised: HTTP route, RPC method, SQL without literals
	Example     string // the raw statement, URL or span name behind Operation
	Kind        trace.Kind
	Baseline    PathSummary
	Candidate   PathSummary
	Findings    []Finding // significant after correction and large enough; empty for most paths
	Responsible bool      // the deepest path that explains the change of its callers
	// Share is the part of the endpoint's change in mean duration which this
	// path's own time (self time × calls) explains, 0–1.
	Share float64
	// ErrorTypes are the ways in which its calls fail, new ones first; nil where
	// no failure begins here or the spans do not name it.
	ErrorTypes []ErrorType
	// Endpoint is the Key of the root path.
	Endpoint string
	// CallsEffect and PerCallEffect are what this path contributes to the change
	// of the endpoint's mean duration, in nanoseconds, by being called more often
	// and by taking longer each time: the time that it held up the request (on
	// the critical path) without its own calls, gap included.
	CallsEffect, PerCallEffect float64
	// Traces to look at: the slowest (or failed) first.
	BaselineExamples, CandidateExamples []trace.TraceID
}

// PathSummary is one side of a call path.
type PathSummary struct {
	Traces          int // traces of the population in which the path occurs
	Calls           int
	CallsPerRequest float64  // calls per trace of the population
	ErrorRate       float64  // share of calls that failed
	Duration        Quantile // of single calls
	SelfTime        Quantile
	// Gap is the part of a remote call that neither client nor server accounts
	// for: network, queues, proxies. Zero where client and server were not both
	// recorded.
	Gap Quantile
}

// Quantile holds quantiles and the mean of a duration, in nanoseconds.
type Quantile struct{ Mean, P50, P95, P99 float64 }

// Aspect is what of a path changed.
type Aspect string

// The aspects.
const (
	Latency   Aspect = "duration"
	SelfTime  Aspect = "self_time"
	Gap       Aspect = "gap"      // time between client and server
	Tail      Aspect = "tail"     // the slowest tenth of the durations
	OwnTail   Aspect = "own_tail" // the slowest tenth of self time and gap
	ErrorRate Aspect = "errors"
	Calls     Aspect = "calls"
	New       Aspect = "new"
	Gone      Aspect = "gone"
	Last      Aspect = "last" // its caller ends early after it
)

// Finding is a change of one aspect of one path with its evidence.
type Finding struct {
	Aspect Aspect
	// Effect is the change: a ratio candidate/baseline for durations and calls
	// (of the 95th percentile for the tail),
	// a difference of proportions for errors, the share of traces for new and
	// gone paths.
	Effect float64
	// Lower and Upper bound the effect at 95 % confidence.
	Lower, Upper float64
	// PValue is adjusted for all the tests of this comparison (false discovery
	// rate).
	PValue float64
	// Worse tells a regression from an improvement.
	Worse bool
}

// Suspect is a likely cause of what changed.
type Suspect struct {
	Path      string // Key of the path to blame
	Endpoint  string // Key of the root path of the requests it harms
	Service   string
	Operation string
	// Kind is what of it changed: SelfTime, OwnTail, Gap (the way to it; on a
	// caller, the way to several of its callees), Calls, New, Gone (it stopped
	// making a call), ErrorRate, or Latency where the cause could not be placed
	// deeper.
	Kind Aspect
	// Share of the change that it explains, 0–1: of the endpoint's mean
	// duration, or of its failed requests for errors.
	Share float64
	// Finding is the evidence.
	Finding Finding
	// Score ranks suspects: the share weighed by the evidence, 0–1.
	Score float64
	Course
	// Explanations are circumstances in which the candidate's calls are slow or
	// fail, and in others not; the strongest first.
	Explanations []Explanation
}
