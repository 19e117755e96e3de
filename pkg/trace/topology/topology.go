// Package topology draws the map of a system from its traces: who calls whom,
// how often, how fast and how well, and what of it changed between two
// populations of traces.
package topology

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// Type is what stands behind a node.
type Type string

// The types. All but services are virtual: they send no spans of their own and
// are known from their callers alone.
const (
	Service  Type = "service"
	Database Type = "database"
	Cache    Type = "cache"
	Queue    Type = "queue"
	External Type = "external"
)

// Change is what became of a node or an edge since the baseline.
type Change string

// The changes, the gravest first.
const (
	MoreErrors  Change = "more_errors"
	Slower      Change = "slower"
	New         Change = "new"
	Gone        Change = "gone"
	MoreCalls   Change = "more_calls"
	FewerCalls  Change = "fewer_calls"
	FewerErrors Change = "fewer_errors"
	Faster      Change = "faster"
)

// Map is the nodes and edges of a population.
type Map struct {
	Nodes []Node // services first, by name
	Edges []Edge // by the names of their ends
	// Traces that were looked at on each side; BaselineTraces is 0 without a
	// baseline.
	Traces, BaselineTraces int
	// Unpaired is the share of the calls between services of which only one end
	// sent a span: how far the map can be trusted, 0 for fully.
	Unpaired float64
	Notices  []string
}

// Node is a service or what services depend on.
type Node struct {
	ID   string // unique and stable
	Name string
	Type Type
	// System is the kind of database or queue: "postgresql".
	System string
	// Names are all by which callers, and metrics, may know the node.
	Names    []string
	Changes  []Change // the gravest first; empty for none, or no baseline
	Versions []Version
	Entries  int // requests that begin here
	// Now and Before are the calls that the node answers. Own is the time of its
	// own work per trace: of a service, without the calls it waits for.
	Now    Load
	Before *Load
}

// Edge is all calls from one node to another.
type Edge struct {
	ID         string
	From, To   string // ids of nodes
	Changes    []Change
	Operations []string // the most frequent, at most five
	// CallerVersions and CalleeVersions are those seen at both ends; empty for
	// virtual nodes.
	CallerVersions, CalleeVersions []Version
	FirstSeen, LastSeen            time.Time
	Now                            Load
	Before                         *Load
	// Unpaired counts calls of which only one end sent a span.
	Unpaired int
	// Examples are traces with a failed or slow call, the worst first.
	Examples []trace.TraceID
}

// Version is a version of a service with the number of calls it made or
// answered.
type Version struct {
	Name  string
	Calls int
}

// Load sums up calls. Durations are nanoseconds.
type Load struct {
	Traces, Calls int
	CallsPerTrace float64 // of all traces of the population
	// Errors is the share of failed calls; its interval is Wilson's, 95 %.
	Errors stats.Interval
	// Retries is the share of calls made again after one that failed.
	Retries float64
	// Client is as the caller sees it, Server as the callee does, Gap what lies
	// between. Zero where that end sent no span.
	Client, Server, Gap, Own Quantiles
}

// Quantiles of a duration, in nanoseconds; Count is 0 where there is none.
type Quantiles struct {
	Count    int
	P50, P95 float64
}

// Options are the rules. Zero values mean the defaults.
type Options struct {
	// MinTraces is the least number of traces with a node or edge on each side
	// for any word on its speed or errors. Default 20.
	MinTraces int
	// MinTracesForNew is the least number of traces that must lack a node or
	// edge before it is called new or gone. Default 60.
	MinTracesForNew int
	// MinShare is the least share of traces with it on the other side. Default
	// 0.05.
	MinShare float64
	// FalseDiscoveryRate bounds the expected share of false changes. Default
	// 0.01.
	FalseDiscoveryRate float64
	// MinRatio and MinChange are the least change of a duration. Defaults 1.25
	// and 1 ms.
	MinRatio  float64
	MinChange time.Duration
	// MaxNodes bounds the map; further external peers are one node. Default 300.
	MaxNodes int
	// Limits bound what one trace may cost.
	Limits trace.Limits
}

func (o Options) withDefaults() Options {
	trace.SetDefault(&o.MinTraces, 20)
	trace.SetDefault(&o.MinTracesForNew, 60)
	trace.SetDefault(&o.MinShare, 0.05)
	trace.SetDefault(&o.FalseDiscoveryRate, 0.01)
	trace.SetDefault(&o.MinRatio, 1.25)
	trace.SetDefault(&o.MinChange, time.Millisecond)
	trace.SetDefault(&o.MaxNodes, 300)
	return o
}
