package journeys

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/journey"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// tracesPerStep is the sample of a step that is TraceQL, and maxTraceSteps how
	// many such steps one query may have.
	tracesPerStep, maxTraceSteps = 400, 5
)

// budget is what is left of the steps whose traces may be fetched.
type budget struct {
	mu     sync.Mutex
	steps  int
	traces int
}

func newBudget(maxTraces int) *budget {
	b := &budget{steps: maxTraceSteps, traces: tracesPerStep}
	if maxTraces > 0 {
		b.traces = min(b.traces, maxTraces)
	}
	return b
}

func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.steps--
	return b.steps >= 0
}

// countTraces reads the steps that are TraceQL from a sample of traces. A trace
// fails, and takes as long, as its first span.
func (e Analyst) countTraces(ctx context.Context, j *Journey, window core.Window, budget *budget, basis *core.Provenance) error {
	to := e.Present(window)
	for i := range j.Steps {
		s := &j.Steps[i]
		if s.TraceQL == "" {
			continue
		}
		switch {
		case e.Traces == nil:
			s.Problem = "no trace store is configured, which TraceQL needs"
		case !budget.take():
			s.Problem = fmt.Sprintf("not counted: at most %d steps of a query are read from traces", maxTraceSteps)
		default:
			found, err := e.Traces.Search(ctx, upstream.TraceFilter{TraceQL: s.TraceQL, Start: window.From, End: to, Limit: budget.traces})
			if err != nil {
				return fmt.Errorf("%s: %w", s.Title(), err)
			}
			basis.AddQuery("%s [%s to %s, at most %d traces]", s.TraceQL, core.FormatTime(window.From), core.FormatTime(to), budget.traces)
			basis.AddNotice(found.Warnings...)
			s.Now, s.P95 = statsOf(found, to.Sub(window.From))
			switch {
			case len(found.Traces) == 0:
				s.Problem = "never occurred in the window: check its TraceQL"
			case found.Truncated:
				s.Problem = fmt.Sprintf("more than %d traces match: shares and latencies are those of a sample, and requests are not known", len(found.Traces))
			}
		}
		if s.Problem != "" {
			basis.AddNotice(fmt.Sprintf("%s, step %d: %s: %s.", j.Name, i+1, s.Title(), s.Problem))
		}
	}
	return nil
}

// statsOf sums up traces, with their 95th percentile in seconds.
func statsOf(set upstream.TraceSet, length time.Duration) (journey.Stats, float64) {
	s, p95 := unknown, unknown.Latency
	var seconds []float64
	failed, sum := 0, 0.0
	for i := range set.Traces {
		root := firstSpan(set.Traces[i])
		if root == nil {
			continue
		}
		if root.Failed {
			failed++
		}
		took := time.Duration(root.Duration).Seconds()
		seconds, sum = append(seconds, took), sum+took
	}
	if n := len(seconds); n > 0 {
		slices.Sort(seconds)
		s.Success, s.Latency, p95 = 1-float64(failed)/float64(n), sum/float64(n), seconds[(n*95+99)/100-1]
	}
	if !set.Truncated && length > 0 {
		s.Requests = float64(len(seconds)) / length.Minutes()
	}
	return s, p95
}

// firstSpan is the one without a parent or, where that is missing, the earliest;
// nil without spans.
func firstSpan(t trace.Trace) *trace.Span {
	var first *trace.Span
	for i := range t.Spans {
		one := &t.Spans[i]
		if one.ParentID == (trace.SpanID{}) {
			return one
		}
		if first == nil || one.Start < first.Start {
			first = one
		}
	}
	return first
}
