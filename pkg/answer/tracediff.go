package answer

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

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
	answer.notice(c.notices...)
	limit := q.MaxTraces
	if e.Limits.MaxTraces > 0 {
		limit = min(limit, e.Limits.MaxTraces)
	}
	c.baseline.Limit, c.candidate.Limit = limit, limit
	answer.BaselineVersion, answer.CandidateVersion = c.baseline.Version, c.candidate.Version

	var baseline, candidate upstream.TraceSet
	group, searchContext := errgroup.WithContext(ctx)
	group.Go(func() (err error) { baseline, err = e.Traces.Search(searchContext, c.baseline); return err })
	group.Go(func() (err error) { candidate, err = e.Traces.Search(searchContext, c.candidate); return err })
	if err := group.Wait(); err != nil {
		return answer, err
	}
	for _, side := range []struct {
		filter upstream.TraceFilter
		found  int
	}{{c.baseline, len(baseline.Traces)}, {c.candidate, len(candidate.Traces)}} {
		if side.found == 0 {
			if err := e.explainEmpty(ctx, side.filter); err != nil {
				return answer, err
			}
		}
	}
	answer.sampled("baseline", c.baseline, baseline)
	answer.sampled("candidate", c.candidate, candidate)
	answer.BaselineTraceQL, answer.CandidateTraceQL = baseline.Filter, candidate.Filter

	before, droppedBefore := fair(baseline.Traces, c.baseline, otherVersion(c, c.candidate))
	after, droppedAfter := fair(candidate.Traces, c.candidate, otherVersion(c, c.baseline))
	if dropped := droppedBefore + droppedAfter; dropped > 0 {
		answer.notice(fmt.Sprintf("%d traces that belong to both sides, or only in part to theirs, were left out.", dropped))
	}
	answer.Result = diff.Compare(before, after, diff.Options{})
	answer.notice(answer.Result.Notices...)
	return answer, nil
}

func (a *TraceDiffAnswer) sampled(side string, filter upstream.TraceFilter, set upstream.TraceSet) {
	for _, executed := range set.Queries {
		a.query("%s: %s", side, executed)
	}
	a.notice(set.Warnings...)
	a.parameter(side, map[string]any{
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
