package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// midnight is when the shop's traces begin; half a minute later orders is
// deployed.
var (
	midnight = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	deployed = midnight.Add(30 * time.Second)
	window   = Window{From: midnight.Add(-10 * time.Second), To: midnight.Add(2 * time.Minute)}
)

// fakeTraces is a store that holds all it is given.
type fakeTraces struct {
	upstream.Traces // what is not needed is not there
	traces          []trace.Trace
	limit           int  // a store that gives fewer than it has
	sampled         bool // and does not count
	asked           []upstream.TraceFilter
}

// shopWithDeploy is the shop before and after a deploy of orders.
func shopWithDeploy(after tracetest.Shop) *fakeTraces {
	before := tracetest.Shop{Seed: 1, Traces: 300}
	after.Seed, after.Traces, after.Start, after.Version = 2, 300, deployed, "2"
	return &fakeTraces{traces: append(before.Generate(), after.Generate()...)}
}

func (f *fakeTraces) Search(_ context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	f.asked = append(f.asked, filter)
	set := upstream.TraceSet{Queries: []string{"search"}, Filter: "{ " + filter.Service + " " + filter.Version + " }"}
	for i := len(f.traces) - 1; i >= 0; i-- {
		t := &f.traces[i]
		start := t.Start()
		if start.Before(filter.Start) || start.After(filter.End) || !slices.ContainsFunc(t.Spans, func(s trace.Span) bool {
			return (filter.Service == "" || s.Service == filter.Service) && (filter.Version == "" || s.Version == filter.Version)
		}) {
			continue
		}
		if most := min(filter.Limit, max(f.limit, 1)); f.limit > 0 && len(set.Traces) >= most {
			set.Truncated = true
			break
		}
		set.Traces = append(set.Traces, *t)
	}
	return set, nil
}

func (f *fakeTraces) Services(context.Context, time.Time, time.Time) ([]string, error) {
	return []string{"cart", "catalog", "orders", "payment", "web"}, nil
}

func (f *fakeTraces) Versions(context.Context, string, time.Time, time.Time) ([]string, error) {
	return []string{"1", "2"}, nil
}

func (f *fakeTraces) SpanCounts(_ context.Context, service string, window upstream.Range) (upstream.SeriesSet, error) {
	values := map[string][]float64{}
	for i := range f.traces {
		for _, s := range f.traces[i].Spans {
			step := int(time.Unix(0, s.Start).Sub(window.Start) / window.Step)
			if service != "" && s.Service != service || step < 0 || step >= window.Points() {
				continue
			}
			key := s.Service + "\x00" + s.Version
			if values[key] == nil {
				values[key] = make([]float64, window.Points())
			}
			values[key][step]++
		}
	}
	set := upstream.SeriesSet{Sampled: f.sampled}
	for key, counts := range values {
		service, version, _ := strings.Cut(key, "\x00")
		set.Series = append(set.Series, series.Series{
			Labels: series.Labels{"service_name": service, "service_version": version}, Start: window.Start, Step: window.Step, Values: counts,
		})
	}
	return set, nil
}

// fakeMetrics answers every query by a function of the PromQL and the time.
type fakeMetrics struct {
	upstream.Metrics
	value func(promQL string, at time.Time) []series.Series
	err   error
}

func (f fakeMetrics) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	set := upstream.SeriesSet{}
	for i := range window.Points() {
		at := window.Start.Add(time.Duration(i) * window.Step)
		for j, one := range f.value(promQL, at) {
			if i == 0 {
				one.Start, one.Step = window.Start, window.Step
				set.Series = append(set.Series, one)
				continue
			}
			set.Series[j].Values = append(set.Series[j].Values, one.Values...)
		}
	}
	return set, f.err
}

func engine(traces upstream.Traces, metrics upstream.Metrics) *Engine {
	return &Engine{Traces: traces, Metrics: metrics, Limits: Limits{MaxTraces: 1000}, Now: func() time.Time { return midnight.Add(time.Hour) }}
}

// TestPatterns checks that a deploy in the window is judged by itself, and that
// nothing is compared where nothing is asked for or arrived.
func TestPatterns(t *testing.T) {
	store := shopWithDeploy(tracetest.Shop{NPlusOne: 20})
	found, err := engine(store, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), window)
	require.NoError(t, err)
	require.True(t, found.Compared)
	require.Equal(t, []string{"1", "2"}, []string{found.BaselineVersion, found.CandidateVersion})
	require.Len(t, found.Result.Findings, 1)
	require.Equal(t, pattern.NPlusOne, found.Result.Findings[0].Kind)
	require.Equal(t, pattern.Introduced, found.Result.Findings[0].Change)
	require.Contains(t, strings.Join(found.Notices, " "), "orders 2 arrived at 2024-01-01 00:00:30Z, after 1")

	alone, err := engine(store, nil).Patterns(context.Background(), query.Patterns{Service: "orders", Compare: query.Nothing}.WithDefaults(), window)
	require.NoError(t, err)
	require.False(t, alone.Compared)
	require.Equal(t, pattern.Unknown, alone.Result.Findings[0].Change)

	named, err := engine(store, nil).Patterns(context.Background(), query.Patterns{
		Service: "orders", Baseline: query.Population{Version: "2"}, Candidate: query.Population{Version: "1"}}.WithDefaults(), window)
	require.NoError(t, err)
	require.Equal(t, pattern.Gone, named.Result.Findings[0].Change, "the other way round")

	quiet := &fakeTraces{traces: tracetest.Shop{Seed: 1, Traces: 300}.Generate()}
	nothing, err := engine(quiet, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), window)
	require.NoError(t, err)
	require.False(t, nothing.Compared)
	require.Empty(t, nothing.Result.Findings)
	require.Contains(t, strings.Join(nothing.Notices, " "), "No deploy arrived")

	early := Window{From: window.From, To: deployed.Add(2 * time.Second)}
	fresh := engine(store, nil)
	fresh.Now = func() time.Time { return early.To }
	justNow, err := fresh.Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), early)
	require.NoError(t, err)
	require.False(t, justNow.Compared)
	require.Contains(t, strings.Join(justNow.Notices, " "), "its traces are not complete yet")

	_, err = engine(quiet, nil).Patterns(context.Background(), query.Patterns{Service: "nobody"}.WithDefaults(), window)
	require.ErrorContains(t, err, `service "nobody" sent no spans`)
	_, err = engine(nil, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), window)
	require.Error(t, err)
	future := Window{From: midnight.Add(2 * time.Hour), To: midnight.Add(3 * time.Hour)}
	_, err = engine(quiet, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), future)
	require.ErrorContains(t, err, "holds no finished traces yet")
}

// TestServiceMap checks the split at a deploy of any service, rates scaled from
// a sample, and agreement with metrics.
func TestServiceMap(t *testing.T) {
	store := shopWithDeploy(tracetest.Shop{LostCache: true})
	rate := 6.0 // of web to cart, per second
	metrics := fakeMetrics{value: func(string, time.Time) []series.Series {
		return []series.Series{{Labels: series.Labels{"client": "web", "server": "cart"}, Values: []float64{rate}}}
	}}
	found, err := engine(store, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), window)
	require.NoError(t, err)
	require.True(t, found.Compared)
	changed := map[string][]topology.Change{}
	for _, e := range found.Map.Edges {
		changed[e.ID] = e.Changes
	}
	require.Contains(t, changed["cart → database:postgresql:postgresql"], topology.New)
	require.Contains(t, changed["cart → cache:redis:redis"], topology.Gone)
	exact := found.EdgeRates["web → cart"] * found.End.Sub(found.Start).Seconds()

	thinned := *store
	thinned.limit = 100
	sampled, err := engine(&thinned, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), window)
	require.NoError(t, err)
	require.InEpsilon(t, exact, sampled.EdgeRates["web → cart"]*sampled.End.Sub(sampled.Start).Seconds(), 0.1, "the sample's rates stand for all")
	require.Contains(t, strings.Join(sampled.Notices, " "), "rates are scaled by")

	long := Window{From: window.From, To: midnight.Add(3 * time.Minute)}
	rate = found.EdgeRates["web → cart"] * found.End.Sub(found.Start).Seconds() / 150
	agreed, err := engine(store, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), long)
	require.NoError(t, err)
	require.Contains(t, strings.Join(agreed.Notices, " "), "1 of 1 edges agree")
	require.InDelta(t, rate, agreed.MetricRates["web → cart"], 1e-9)
	uncounted := *store
	uncounted.limit, uncounted.sampled = 100, true
	level, err := engine(&uncounted, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), long)
	require.NoError(t, err)
	require.InEpsilon(t, rate, level.EdgeRates["web → cart"], 1e-9, "the metrics say how much the sample stands for")
	rate *= 2
	apart, err := engine(store, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), long)
	require.NoError(t, err)
	require.Contains(t, strings.Join(apart.Notices, " "), "0 of 1 edges agree")
	metrics.err = fmt.Errorf("no Prometheus today")
	without, err := engine(store, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), long)
	require.NoError(t, err)
	require.Contains(t, strings.Join(without.Notices, " "), "no Prometheus today")
}

// TestRootCause checks that deploys, patterns and metrics reach the suspects.
func TestRootCause(t *testing.T) {
	store := shopWithDeploy(tracetest.Shop{SlowQuery: 10})
	metrics := fakeMetrics{value: func(promQL string, at time.Time) []series.Series {
		value := 0.0
		if strings.Contains(promQL, "wait_time") && strings.Contains(promQL, `"orders"`) && !at.Before(deployed) {
			value = 0.4
		}
		return []series.Series{{Values: []float64{value}}}
	}}
	found, err := engine(store, metrics).RootCause(context.Background(), query.RootCause{Service: "orders"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Equal(t, diff.Regressed, found.Result.Verdict)
	first := found.Result.Suspects[0]
	require.Equal(t, cause.Statement, first.Kind)
	why := strings.Join(first.Reasons, "\n")
	require.Contains(t, why, "A pattern came with it: SELECT * FROM orders")
	require.Contains(t, why, "orders changed from 1 to 2 at 00:00:30Z.")
	require.Contains(t, why, "Its metrics agree: time to get a connection went from 0 ms to 400 ms.")
	require.NotContains(t, why, "processor")
	require.Equal(t, "{ orders 2 }", found.CandidateTraceQL)

	metrics.err = fmt.Errorf("no Prometheus today")
	without, err := engine(store, metrics).RootCause(context.Background(), query.RootCause{Service: "orders"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Equal(t, cause.Statement, without.Result.Suspects[0].Kind)
	require.Contains(t, strings.Join(without.Notices, " "), "no Prometheus today")
}

// TestProbes checks the PromQL that is sent for a service with any name.
func TestProbes(t *testing.T) {
	for _, p := range probes {
		promQL := p.of(`a "b".c`, time.Minute)
		require.NotContains(t, promQL, "$")
		require.Contains(t, promQL, `service_name="a \"b\".c"`)
		require.Contains(t, promQL, `job=~"(.+/)?a \"b\"\\.c"`)
		require.Equal(t, strings.Count(promQL, "("), strings.Count(promQL, ")"), promQL)
	}
}

// TestSplit checks that gaps and infinities are no values.
func TestSplit(t *testing.T) {
	s := series.Series{Start: midnight, Step: time.Second, Values: []float64{1, math.NaN(), 2, math.Inf(1), 3}}
	before, after := split(s, midnight.Add(2*time.Second))
	require.Equal(t, []float64{1}, before)
	require.Equal(t, []float64{2, 3}, after)
	before, after = split(s, midnight.Add(500*time.Millisecond))
	require.Empty(t, before, "the first second is neither")
	require.Equal(t, []float64{2, 3}, after)
}

// lateTraces is a store that could not count a part of the window: the one with
// the deploy.
type lateTraces struct{ *fakeTraces }

func (l lateTraces) SpanCounts(ctx context.Context, service string, window upstream.Range) (upstream.SeriesSet, error) {
	set, err := l.fakeTraces.SpanCounts(ctx, service, window)
	set.Series = slices.DeleteFunc(set.Series, func(one series.Series) bool { return one.Labels["service_version"] == "2" })
	set.Warnings = []string{"no span counts of the last hour: Tempo did not answer in time"}
	return set, err
}

// A count that fails for a moment hides a deploy; that none arrived is then not
// known, and not said.
func TestWhatWasNotCountedIsNotSaidToBeNoDeploy(t *testing.T) {
	store := shopWithDeploy(tracetest.Shop{NPlusOne: 20})
	said := func(traces upstream.Traces) string {
		found, err := engine(traces, nil).TraceDiff(t.Context(), query.TraceDiff{Service: "orders"}.WithDefaults(), window)
		require.NoError(t, err)
		return strings.Join(found.Notices, " ")
	}
	require.NotContains(t, said(store), "No deploy")
	late := said(lateTraces{store})
	require.Contains(t, late, "Tempo did not answer in time")
	require.NotContains(t, late, "No deploy of orders arrived")
	require.Contains(t, late, "No deploy of orders is known in this window, of which a part could not be looked at")
}
