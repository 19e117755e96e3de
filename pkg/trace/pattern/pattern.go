// Package pattern finds what makes requests needlessly slow: statements in
// loops, the same question asked twice, calls one after the other that could
// run at once, retries, waits for a connection. It judges populations of
// traces, never a single one, and says of every finding how much time it costs
// on the critical path.
package pattern

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// Kind names a pattern.
type Kind string

// The kinds.
const (
	NPlusOne      Kind = "n_plus_one"     // one statement per row of an earlier result
	NPlusOneRPC   Kind = "n_plus_one_rpc" // one remote call per item
	Loop          Kind = "loop"           // a block of different calls that repeats (MN+1)
	PagedRead     Kind = "paged_read"     // one call per page of a result
	Duplicate     Kind = "duplicate"      // the same question asked again
	Serial        Kind = "serial"         // independent calls one after the other
	Chatty        Kind = "chatty"         // many calls between two services whose way costs
	ChattyCache   Kind = "chatty_cache"   // many cache commands one after the other
	SlowQuery     Kind = "slow_query"     // a statement slow by itself, or against its own past
	Retry         Kind = "retry"          // a failed call made again
	RetryStorm    Kind = "retry_storm"    // retries that multiply the load of the callee
	PoolWait      Kind = "pool_wait"      // waiting for a connection
	SilentWait    Kind = "silent_wait"    // pauses before statements, as of a pool that sends no spans
	LostCache     Kind = "lost_cache"     // reads that the cache used to answer
	PayloadGrowth Kind = "payload_growth" // larger answers that take longer
	LargePayload  Kind = "large_payload"  // answers large by themselves
	Contention    Kind = "contention"     // own time that grows with concurrent requests
)

// Change says what became of a pattern since the baseline.
type Change string

// The changes.
const (
	Unknown    Change = ""           // no baseline, or too few of its traces
	Introduced Change = "introduced" // not a pattern in the baseline
	Grown      Change = "grown"      // in more requests, or costing more
	Unchanged  Change = "unchanged"
	Gone       Change = "gone" // a pattern in the baseline only
)

// Result is the patterns of a population, those that cost most first.
type Result struct {
	Findings []Finding
	// Pauses before statements, where there is a baseline.
	Pauses []Pause
	// Traces that were looked at on each side; BaselineTraces is 0 without a
	// baseline.
	Traces, BaselineTraces int
	Notices                []string
}

// Finding is one pattern at one place: a caller of one endpoint.
type Finding struct {
	Kind   Kind
	Change Change
	// Endpoint is the key of the root path; its service and operation.
	Endpoint, EndpointService, EndpointOperation string
	// Service and Operation are the caller: whose code to change.
	Service, Operation string
	// Path is the key of the call path of the (first) call.
	Path string
	// Calls are the operations called, in their order.
	Calls []Call
	Side  Side // in the candidate; in the baseline where the pattern is gone
	// Baseline is the pattern in the baseline; nil without one.
	Baseline *Side
	// PValue is the evidence of the change, adjusted for all findings; 1 where
	// none was asked for.
	PValue float64
	// Evidence is what was seen, Advice what to do about it: one sentence each.
	Evidence, Advice string
	// Examples are traces with the pattern, the costliest first.
	Examples []trace.TraceID
}

// Call is one operation of a pattern.
type Call struct {
	Service, Operation string
	Example            string // the raw statement, URL or span name
}

// Side is a pattern in one population. Times are nanoseconds.
type Side struct {
	Traces   int // with the pattern
	Requests int // traces of the endpoint
	// Share of the endpoint's traces, with its 95 % interval (Wilson).
	Share stats.Interval
	// Repeats is the median number of calls in a trace with the pattern, and
	// MaxRepeats the largest.
	Repeats, MaxRepeats float64
	// Time is the median time in those calls of a trace with the pattern.
	Time float64
	// Saved is the median time on the critical path that a trace with the
	// pattern would save; SavedP95 its 95th percentile; SavedPerRequest the mean
	// over all traces of the endpoint.
	Saved, SavedP95, SavedPerRequest float64
	// SavedShare is SavedPerRequest against the endpoint's mean duration, 0–1.
	SavedShare float64
}

// Options are the rules. Zero values mean the defaults, most of which are those
// of Sentry's published detectors, made relative where a fixed limit would
// depend on the system.
type Options struct {
	// MinTraces and MinShare are the least number of traces and the least share
	// of the endpoint's traces with a pattern. Defaults 3 and 0.05.
	MinTraces int
	MinShare  float64
	// MinRepeats of one statement or call in a loop. Default 5.
	MinRepeats int
	// MinBlocks is the least number of times that a block of different calls
	// repeats. Default 3.
	MinBlocks int
	// MinTime in a loop, unless it is MinPart of its caller's duration. Defaults
	// 50 ms and 0.2.
	MinTime time.Duration
	MinPart float64
	// SlowQuery is the duration from which on a statement is slow by itself.
	// Default 500 ms.
	SlowQuery time.Duration
	// MinSaving is what running calls at once must save, unless it is a tenth of
	// the endpoint's median duration. Default 100 ms.
	MinSaving time.Duration
	// MinPoolWait is the least wait for a connection. Default 20 ms.
	MinPoolWait time.Duration
	// MinBaseline is the least number of the endpoint's traces in the baseline
	// for any word on change. Default 20.
	MinBaseline int
	// FalseDiscoveryRate bounds the expected share of false words on change.
	// Default 0.01.
	FalseDiscoveryRate float64
	// Examples is how many example traces a finding names. Default 3.
	Examples int
	// Limits bound what one trace may cost.
	Limits trace.Limits
}

func (o Options) withDefaults() Options {
	trace.SetDefault(&o.MinTraces, 3)
	trace.SetDefault(&o.MinShare, 0.05)
	trace.SetDefault(&o.MinRepeats, 5)
	trace.SetDefault(&o.MinBlocks, 3)
	trace.SetDefault(&o.MinTime, 50*time.Millisecond)
	trace.SetDefault(&o.MinPart, 0.2)
	trace.SetDefault(&o.SlowQuery, 500*time.Millisecond)
	trace.SetDefault(&o.MinSaving, 100*time.Millisecond)
	trace.SetDefault(&o.MinPoolWait, 20*time.Millisecond)
	trace.SetDefault(&o.MinBaseline, 20)
	trace.SetDefault(&o.FalseDiscoveryRate, 0.01)
	trace.SetDefault(&o.Examples, 3)
	return o
}
