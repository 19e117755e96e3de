package api

import (
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// comparedFor is how long a comparison of traces stands in for one that takes
// longer than an engine waits. The counts beside it are always those of now.
const comparedFor = 2 * time.Minute

// compared are the newest comparisons of traces, by question.
type compared struct {
	answers *otter.Cache[string, engine.VerdictAnswer]
}

func newCompared() compared {
	return compared{otter.Must(&otter.Options[string, engine.VerdictAnswer]{
		MaximumSize:      mostAnswers,
		ExpiryCalculator: otter.ExpiryWriting[string, engine.VerdictAnswer](comparedFor),
	})}
}

func (c compared) close() {
	c.answers.InvalidateAll()
	c.answers.StopAllGoroutines()
}

// keep remembers a decision for which traces were compared.
func (c compared) keep(key string, found engine.VerdictAnswer) {
	if found.Traces != "" {
		c.answers.Set(key, engine.VerdictAnswer{BaselineVersion: found.BaselineVersion, CandidateVersion: found.CandidateVersion,
			To: found.To, Traces: found.Traces, TracesReason: found.TracesReason})
	}
}

// known is what was said of the traces, as far as it is remembered.
func (c compared) known(key string, now time.Time) engine.TraceVerdict {
	last, ok := c.answers.GetIfPresent(key)
	if !ok || now.Sub(last.To) > comparedFor {
		return engine.TraceVerdict{Verdict: diff.Insufficient, Reason: "the trace store takes longer than engines wait; its traces are still being compared"}
	}
	return engine.TraceVerdict{Verdict: last.Traces, Baseline: last.BaselineVersion, Candidate: last.CandidateVersion,
		Reason: fmt.Sprintf("as compared at %s: %s", last.To.UTC().Format(time.RFC3339), last.TracesReason)}
}
