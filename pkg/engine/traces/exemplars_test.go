package traces_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// hiding is a store that shows its newest traces by id only.
type hiding struct {
	*enginetest.Traces
	from    time.Time // what it hides
	fetched atomic.Int64
}

func (h *hiding) Search(ctx context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	set, err := h.Traces.Search(ctx, filter)
	set.Traces = slices.DeleteFunc(set.Traces, func(t trace.Trace) bool { return !t.Start().Before(h.from) })
	return set, err
}

func (h *hiding) SpanCounts(ctx context.Context, service string, window upstream.Range) (upstream.SeriesSet, error) {
	set, err := h.Traces.SpanCounts(ctx, service, window)
	for _, s := range set.Series {
		for i := range s.Values {
			if !s.Time(i).Before(h.from) {
				s.Values[i] = 0
			}
		}
	}
	return set, err
}

func (h *hiding) Fetch(_ context.Context, ids []trace.TraceID, _ time.Time) (set upstream.TraceSet, err error) {
	for i := range h.Stored {
		if slices.Contains(ids, h.Stored[i].ID) {
			set.Traces = append(set.Traces, h.Stored[i])
			h.fetched.Add(1)
		}
	}
	return set, nil
}

// spanMetricsOf are the span metrics of orders' traces; factor inflates the
// traffic of the new version.
type spanMetricsOf struct {
	enginetest.Metrics
	traces []trace.Trace
	failed error
}

func (m spanMetricsOf) Exemplars(_ context.Context, promQL string, start, end time.Time) (found []upstream.Exemplar, err error) {
	for i := range m.traces {
		at := m.traces[i].Start()
		if at.Before(start) || at.After(end) || !slices.ContainsFunc(m.traces[i].Spans, func(s trace.Span) bool {
			return s.Service == "orders" && strings.Contains(promQL, fmt.Sprintf("service_version=%q", s.Version))
		}) {
			continue
		}
		found = append([]upstream.Exemplar{{Trace: m.traces[i].ID, At: at}}, found...)
	}
	return found, m.failed
}

func spanMetricsFor(store *enginetest.Traces, factor float64) spanMetricsOf {
	return spanMetricsOf{traces: store.Stored, Metrics: enginetest.Metrics{Value: func(promQL string, at time.Time) []series.Series {
		switch {
		case strings.HasPrefix(promQL, "count by"):
			return counted(store.Stored, at)
		case strings.Contains(promQL, `service_version="2"`):
			return []series.Series{{Values: []float64{1000 * factor}}}
		case strings.Contains(promQL, "max_over_time"):
			return []series.Series{{Values: []float64{1000}}}
		}
		return nil
	}}}
}

// counted are the counters of span metrics at an instant: of each version of
// orders the spans so far, and nothing before its first.
func counted(traces []trace.Trace, at time.Time) (counters []series.Series) {
	spans := map[string]float64{}
	for i := range traces {
		for _, s := range traces[i].Spans {
			if s.Service == "orders" && s.Start <= at.UnixNano() {
				spans[s.Version]++
			}
		}
	}
	for _, version := range []string{"1", "2", "3"} {
		value, began := spans[version]
		if !began {
			value = math.NaN()
		}
		counters = append(counters, series.Series{Labels: series.Labels{"service": "orders", "service_version": version}, Values: []float64{value}})
	}
	return counters
}

// TestExemplarsLeadToHiddenTraces checks that a deploy which the store does not
// show yet is judged by the traces behind exemplars, of both sides.
func TestExemplarsLeadToHiddenTraces(t *testing.T) {
	store := func() *hiding {
		return &hiding{Traces: enginetest.ShopWithDeploy(tracetest.Shop{SlowQuery: 10}), from: enginetest.Deployed}
	}
	young := core.Window{From: enginetest.Window.From, To: enginetest.Deployed.Add(30 * time.Second)}
	ask := func(h *hiding, metrics upstream.Metrics) traces.TraceDiffAnswer {
		e := newEngine(h, metrics)
		e.Now = func() time.Time { return young.To }
		found, err := e.TraceDiff(context.Background(), query.TraceDiff{Service: "orders"}.WithDefaults(), young)
		require.NoError(t, err)
		return found
	}
	h := store()
	found := ask(h, spanMetricsFor(h.Traces, 1))
	notices := strings.Join(found.Notices, " ")
	require.Contains(t, notices, "both sides are traces behind exemplars", found.Notices)
	require.Contains(t, notices, "that of metrics (span metrics changed)")
	require.Equal(t, diff.Regressed, found.Result.Verdict, found.Result.Reason)
	require.Positive(t, h.fetched.Load())
	require.False(t, found.Result.Baseline.End.After(enginetest.Deployed.Add(time.Second)))

	h = store()
	found = ask(h, spanMetricsFor(h.Traces, 0.1))
	require.Contains(t, strings.Join(found.Notices, " "), "the traffic of both sides differs")
	require.Equal(t, diff.Insufficient, found.Result.Verdict)

	h = store()
	broken := spanMetricsFor(h.Traces, 1)
	broken.failed = errors.New("no exemplars today")
	found = ask(h, broken)
	require.Contains(t, strings.Join(found.Notices, " "), "no exemplars today")
	require.Equal(t, diff.Insufficient, found.Result.Verdict)

	shown := store()
	shown.from = enginetest.Midnight.Add(time.Hour)
	found = ask(shown, spanMetricsFor(shown.Traces, 1))
	require.Zero(t, shown.fetched.Load(), "a store that shows its traces is searched")
	require.NotContains(t, strings.Join(found.Notices, " "), "exemplars")
}
