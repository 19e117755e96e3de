package budget

import (
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// memoryLimit is how much memory the Go runtime tries to stay within, unless
	// GOMEMLIMIT says otherwise. The process then needs some 100 MiB more.
	memoryLimit = 576 << 20
	// maxCaches is what caches and learned models of all data sources may hold of
	// it, or what the largest of them is set to, if that is more.
	maxCaches = 144 << 20
	// maxInFlight is what all requests under way may hold of it. The rest is for
	// caches, learned models and what the garbage collector has not seen yet.
	maxInFlight = 256 << 20
	// maxLive is what the newest states of live queries may hold.
	maxLive = 64 << 20
	// MaxRequest is what one request may hold.
	MaxRequest = 160 << 20
)

// Limits are what the whole process has, whatever the number of data sources.
type Limits struct {
	// Questions bounds the queries and HTTP requests that are worked on at once.
	Questions *Gate
	// Memory bounds the bytes that they hold.
	Memory *Gate
	// Evaluations bounds the PromQL expressions that are evaluated at once.
	Evaluations *Gate
	// Processors are what is computed on. Each in its turn is done sooner on
	// average than all at once, and holds its memory for less time.
	Processors *Gate
	// Live bounds the bytes of live queries that are watched.
	Live *Gate
	// Caches divides the memory for caches and learned models.
	Caches *Caches
}

// Process is the budget of this process.
var Process = Limits{
	Questions: NewGate(Shares{
		What: "questions at once", Total: 96, Reserved: 32, PerUser: 24, PerSource: 48, MaxWaiting: 400, MaxWait: 30 * time.Second,
	}),
	Memory: NewGate(Shares{
		What: "memory for requests", Total: maxInFlight, Reserved: maxInFlight / 4, PerUser: maxInFlight * 5 / 8,
		// Whoever waits holds a turn at an upstream.
		MaxWaiting: 100, MaxWait: time.Second, Unit: MiB,
	}),
	Evaluations: NewGate(Shares{
		What: "PromQL evaluations at once", Total: 48, Reserved: 16, PerUser: 16, MaxWaiting: 200, MaxWait: 10 * time.Second,
	}),
	Processors: NewGate(processorShares(int64(runtime.GOMAXPROCS(0)))),
	Live:       NewGate(Shares{What: "memory for live queries", Total: maxLive, PerUser: maxLive / 4, MaxWaiting: 10, MaxWait: time.Second, Unit: MiB}),
	Caches:     NewCaches(maxCaches),
}

// processorShares leave a processor to rules and engines while there are any, and
// let more of them compute than there are processors: the scheduler then divides
// those, a slice of some milliseconds at a time. Others get all processors
// otherwise.
func processorShares(processors int64) Shares {
	others := max(processors-1, 1)
	return Shares{What: "processors", Total: 2 * processors, Reserved: 2*processors - others, Lent: processors - others, Quiet: quiet}
}

// quiet is how long no rule and no engine computes before panels get their
// processor; rules are mostly evaluated every ten seconds to a minute.
const quiet = 3 * time.Second

// LimitMemory makes the garbage collector work harder before the process grows
// beyond its limit. It is for main alone.
func LimitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
