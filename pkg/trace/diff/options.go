package diff

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Options are the rules of a comparison. Zero values mean the defaults, which
// hold for any system: they come from reasoning about what a person would call
// a change, not from a data set.
type Options struct {
	// MinTraces is the least number of traces of an endpoint on each side for
	// any judgement. Default 20.
	MinTraces int
	// MinTracesForNew is the least number of traces that must lack a path
	// before it is called new or gone: a path unseen in n traces still occurs in
	// up to 3/n of them (rule of three). Default 60.
	MinTracesForNew int
	// MinOccurrences is the least number of traces with a path on each side for
	// a test of its durations. Default 8.
	MinOccurrences int
	// FalseDiscoveryRate bounds the expected share of false findings within
	// each family of tests (durations, tails, errors, calls), however often one
	// looks while traces arrive. Default 0.03.
	FalseDiscoveryRate float64
	// MinRatio is the least ratio of durations that counts as a change.
	// Default 1.25.
	MinRatio float64
	// MinChange is the least change of a path's time per request that counts,
	// as is 1 % of the endpoint's median duration. Default 1 ms.
	MinChange time.Duration
	// MinSuperiority is the least probability that a request of the slower side
	// takes longer than one of the faster side. Default 0.64, a medium effect
	// (Vargha and Delaney 2000).
	MinSuperiority float64
	// MinCallRatio is the least ratio of calls per calling request that counts
	// as a change, besides a change of one call or of the median. Default 1.5.
	MinCallRatio float64
	// MinErrorRatio and MinErrorChange are the least ratio and the least
	// difference of error rates that count. Defaults 2 and 0.005.
	MinErrorRatio, MinErrorChange float64
	// WarmUp is how long after the candidate's first trace it is still warming
	// up; judged apart. Default 0: there is no warm-up.
	WarmUp time.Duration
	// Examples is how many example traces a path names on each side. Default 3.
	Examples int
	// Limits bound what one trace may cost.
	Limits trace.Limits
}

func (o Options) withDefaults() Options {
	trace.SetDefault(&o.MinTraces, 20)
	trace.SetDefault(&o.MinTracesForNew, 60)
	trace.SetDefault(&o.MinOccurrences, 8)
	trace.SetDefault(&o.FalseDiscoveryRate, 0.03)
	trace.SetDefault(&o.MinRatio, 1.25)
	trace.SetDefault(&o.MinChange, time.Millisecond)
	trace.SetDefault(&o.MinSuperiority, 0.64)
	trace.SetDefault(&o.MinCallRatio, 1.5)
	trace.SetDefault(&o.MinErrorRatio, 2)
	trace.SetDefault(&o.MinErrorChange, 0.005)
	trace.SetDefault(&o.Examples, 3)
	return o
}

// confidence is that of all reported intervals.
const confidence = 0.95
