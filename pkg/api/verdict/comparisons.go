package verdict

import (
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

const (
	// comparisonMaxAge is how long a comparison of traces stands in for one that
	// takes longer than an engine waits. The counts beside it are always those of
	// now.
	comparisonMaxAge = 2 * time.Minute
	// maxComparisons bounds the memory for comparisons.
	maxComparisons = 2000
)

// comparisons are the newest comparisons of traces, by request.
type comparisons struct {
	entries *otter.Cache[string, engine.VerdictAnswer]
}

func newComparisons() comparisons {
	return comparisons{otter.Must(&otter.Options[string, engine.VerdictAnswer]{
		MaximumSize:      maxComparisons,
		ExpiryCalculator: otter.ExpiryWriting[string, engine.VerdictAnswer](comparisonMaxAge),
	})}
}

func (c comparisons) close() {
	c.entries.InvalidateAll()
	c.entries.StopAllGoroutines()
}

// set remembers the comparison of traces of a decision that made one.
func (c comparisons) set(key string, decided engine.VerdictAnswer) {
	if decided.Traces != "" {
		c.entries.Set(key, engine.VerdictAnswer{BaselineVersion: decided.BaselineVersion, CandidateVersion: decided.CandidateVersion,
			To: decided.To, Traces: decided.Traces, TracesReason: decided.TracesReason})
	}
}

// get is the newest comparison of traces, if it is new enough.
func (c comparisons) get(key string, now time.Time) engine.TraceVerdict {
	last, ok := c.entries.GetIfPresent(key)
	if !ok || now.Sub(last.To) > comparisonMaxAge {
		return engine.TraceVerdict{Verdict: diff.Insufficient, Reason: "the trace store takes longer than engines wait; its traces are still being compared"}
	}
	return engine.TraceVerdict{Verdict: last.Traces, Baseline: last.BaselineVersion, Candidate: last.CandidateVersion,
		Reason: fmt.Sprintf("as compared at %s: %s", last.To.UTC().Format(time.RFC3339), last.TracesReason)}
}
