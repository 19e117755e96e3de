package engine

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// TraceDiff answers what changed between two populations of traces.
func (e *Engine) TraceDiff(ctx context.Context, q query.TraceDiff, window Window) (TraceDiffAnswer, error) {
	answer := TraceDiffAnswer{Service: q.Service, Operation: q.Operation}
	if e.Traces == nil {
		return answer, errNoTraces
	}
	c, err := e.populations(ctx, q, window)
	if err != nil {
		return answer, err
	}
	s, compared, err := e.judge(ctx, c, q.MaxTraces, &answer.Basis)
	if err != nil {
		return answer, err
	}
	answer.BaselineVersion, answer.CandidateVersion = c.baseline.Version, c.candidate.Version
	answer.BaselineTraceQL, answer.CandidateTraceQL = s.beforeQuery, s.afterQuery
	answer.Result = compared
	answer.Result.Reason = s.withSeen(answer.Result.Reason)
	answer.notice(answer.Result.Notices...)
	return answer, nil
}

// warmUp is how long a version that has just been started fills caches and opens
// connections.
const warmUp = 10 * time.Second

// compare judges the candidate against the baseline; the first moments of a
// version apart.
func (s *samples) compare() diff.Result {
	options := diff.Options{}
	if s.byVersion {
		options.WarmUp = warmUp
	}
	return diff.Compare(s.before, s.after, options)
}

func (b *Basis) sampled(side string, filter upstream.TraceFilter, set upstream.TraceSet) {
	for _, executed := range set.Queries {
		b.query("%s: %s", side, executed)
	}
	b.notice(set.Warnings...)
	b.parameter(side, map[string]any{
		"version": filter.Version, "from": clock(filter.Start), "to": clock(filter.End),
		"traces": len(set.Traces), "sampled": set.Truncated,
	})
}

func otherVersion(c comparison, other upstream.TraceFilter) string {
	if !c.byVersion {
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
