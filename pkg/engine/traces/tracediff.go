package traces

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/ledger"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// TraceDiffAnswer is the comparison of two populations.
type TraceDiffAnswer struct {
	core.Provenance
	Service, Operation string
	BaselineVersion    string
	CandidateVersion   string
	// BaselineTraceQL and CandidateTraceQL show the populations in Explore.
	BaselineTraceQL, CandidateTraceQL string
	Result                            diff.Result
	// Attributes are what tells the populations apart; nil where nobody asks.
	Attributes []diff.AttributeDifference
}

// Comparer evaluates queries over traces.
type Comparer struct {
	core.Sources
	Deploys deploys.Detector
	Signals signals.Finder
	Ledger  ledger.Keeper
}

// WithoutStore is the comparer as if there were no trace store.
func (e Comparer) WithoutStore() Comparer {
	e.Traces, e.Deploys.Traces = nil, nil
	return e
}

// TraceDiff answers what changed between two populations of traces.
func (e Comparer) TraceDiff(ctx context.Context, q query.TraceDiff, window core.Window) (TraceDiffAnswer, error) {
	answer := TraceDiffAnswer{Service: q.Service, Operation: q.Operation}
	if e.Traces == nil {
		return answer, core.ErrNoTraces
	}
	c, err := e.Populations(ctx, q, window)
	if err != nil {
		return answer, err
	}
	s, compared, err := e.judge(ctx, c, q.MaxTraces, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	if q.View == query.Attributes {
		err = core.Compute(ctx, func() { answer.Attributes = diff.Attributes(s.before, s.after, maxFalseAttributes) })
		if err != nil {
			return answer, err
		}
	}
	answer.BaselineVersion, answer.CandidateVersion = c.Baseline.Version, c.Candidate.Version
	answer.BaselineTraceQL, answer.CandidateTraceQL = s.beforeQuery, s.afterQuery
	answer.Result = compared
	answer.Result.Reason = s.withSummary(answer.Result.Reason)
	answer.AddNotice(answer.Result.Notices...)
	return answer, nil
}

// maxFalseAttributes is the share of false findings among the attributes that tell
// two populations apart.
const maxFalseAttributes = 0.05

// warmUp is how long a version that has just been started fills caches and opens
// connections.
const warmUp = 10 * time.Second

// compare judges the candidate against the baseline; the first moments of a
// version apart.
func (s *samples) compare(ctx context.Context) (compared diff.Result, err error) {
	options := diff.Options{}
	if s.ByVersion {
		options.WarmUp = warmUp
	}
	err = core.Compute(ctx, func() { compared = diff.Compare(s.before, s.after, options) })
	return compared, err
}

// sampled says what the sample of one side is.
func sampled(b *core.Provenance, side string, filter upstream.TraceFilter, set upstream.TraceSet) {
	for _, executed := range set.Queries {
		b.AddQuery("%s: %s", side, executed)
	}
	b.AddNotice(set.Warnings...)
	b.SetParameter(side, map[string]any{
		"version": filter.Version, "from": core.FormatTime(filter.Start), "to": core.FormatTime(filter.End),
		"traces": len(set.Traces), "sampled": set.Truncated,
	})
}

func otherVersion(c Comparison, other upstream.TraceFilter) string {
	if !c.ByVersion {
		return ""
	}
	return other.Version
}

// fair keeps the traces that belong wholly to their side: started and ended
// inside its time, and untouched by the other side's version.
func fair(traces []trace.Trace, filter upstream.TraceFilter, otherVersion string) (kept []trace.Trace, dropped int) {
	for i := range traces {
		if belongs(&traces[i], filter, otherVersion) {
			kept = append(kept, traces[i])
		} else {
			dropped++
		}
	}
	return kept, dropped
}

// clockTolerance forgives hosts whose clocks are a little apart.
const clockTolerance = time.Second

func belongs(t *trace.Trace, filter upstream.TraceFilter, otherVersion string) bool {
	earliest := filter.Start.Add(-clockTolerance).UnixNano()
	latest := filter.End.Add(clockTolerance).UnixNano()
	for i := range t.Spans {
		span := &t.Spans[i]
		if otherVersion != "" && span.Service == filter.Service && span.Version == otherVersion {
			return false
		}
		if span.ParentID == (trace.SpanID{}) && (span.Start < earliest || span.End() > latest) {
			return false
		}
	}
	return true
}
