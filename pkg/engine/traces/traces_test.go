package traces_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func newEngine(traces upstream.Traces, metrics upstream.Metrics) *engine.Engine {
	return &engine.Engine{Traces: traces, Metrics: metrics, Limits: core.Limits{MaxTraces: 1000}, Now: func() time.Time { return enginetest.Midnight.Add(time.Hour) }}
}

// TestPatterns checks that a deploy in the window is judged by itself, and that
// nothing is compared where nothing is asked for or arrived.
func TestPatterns(t *testing.T) {
	store := enginetest.ShopWithDeploy(tracetest.Shop{NPlusOne: 20})
	found, err := newEngine(store, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.True(t, found.Compared)
	require.Equal(t, []string{"1", "2"}, []string{found.BaselineVersion, found.CandidateVersion})
	require.Len(t, found.Result.Findings, 1)
	require.Equal(t, pattern.NPlusOne, found.Result.Findings[0].Kind)
	require.Equal(t, pattern.Introduced, found.Result.Findings[0].Change)
	require.Contains(t, strings.Join(found.Notices, " "), "orders 2 arrived at 2024-01-01 00:00:30Z, after 1")

	alone, err := newEngine(store, nil).Patterns(context.Background(), query.Patterns{Service: "orders", Compare: query.Nothing}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.False(t, alone.Compared)
	require.Equal(t, pattern.Unknown, alone.Result.Findings[0].Change)

	named, err := newEngine(store, nil).Patterns(context.Background(), query.Patterns{
		Service: "orders", Baseline: query.Population{Version: "2"}, Candidate: query.Population{Version: "1"}}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.Equal(t, pattern.Gone, named.Result.Findings[0].Change, "the other way round")

	quiet := &enginetest.Traces{Stored: tracetest.Shop{Seed: 1, Traces: 300}.Generate()}
	nothing, err := newEngine(quiet, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.False(t, nothing.Compared)
	require.Empty(t, nothing.Result.Findings)
	require.Contains(t, strings.Join(nothing.Notices, " "), "No deploy arrived")

	early := core.Window{From: enginetest.Window.From, To: enginetest.Deployed.Add(2 * time.Second)}
	fresh := newEngine(store, nil)
	fresh.Now = func() time.Time { return early.To }
	justNow, err := fresh.Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), early)
	require.NoError(t, err)
	require.False(t, justNow.Compared)
	require.Contains(t, strings.Join(justNow.Notices, " "), "its traces are not complete yet")

	_, err = newEngine(quiet, nil).Patterns(context.Background(), query.Patterns{Service: "nobody"}.WithDefaults(), enginetest.Window)
	require.ErrorContains(t, err, `service "nobody" sent no spans`)
	_, err = newEngine(nil, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.Error(t, err)
	future := core.Window{From: enginetest.Midnight.Add(2 * time.Hour), To: enginetest.Midnight.Add(3 * time.Hour)}
	_, err = newEngine(quiet, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), future)
	require.ErrorContains(t, err, "holds no finished traces yet")
}

// TestServiceMap checks the split at a deploy of any service, rates scaled from
// a sample, and agreement with metrics.
func TestServiceMap(t *testing.T) {
	store := enginetest.ShopWithDeploy(tracetest.Shop{LostCache: true})
	rate := 6.0 // of web to cart, per second
	metrics := enginetest.Metrics{Value: func(string, time.Time) []series.Series {
		return []series.Series{{Labels: series.Labels{"client": "web", "server": "cart"}, Values: []float64{rate}}}
	}}
	found, err := newEngine(store, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.True(t, found.Compared)
	changed := map[string][]topology.Change{}
	for _, e := range found.Map.Edges {
		changed[e.ID] = e.Changes
	}
	require.Contains(t, changed["cart → database:postgresql:postgresql"], topology.New)
	require.Contains(t, changed["cart → cache:redis:redis"], topology.Gone)
	exact := found.EdgeRates["web → cart"] * found.End.Sub(found.Start).Seconds()

	thinned := &enginetest.Traces{Stored: store.Stored, Limit: 100}
	sampled, err := newEngine(thinned, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.InEpsilon(t, exact, sampled.EdgeRates["web → cart"]*sampled.End.Sub(sampled.Start).Seconds(), 0.1, "the sample's rates stand for all")
	require.Contains(t, strings.Join(sampled.Notices, " "), "rates are scaled by")

	long := core.Window{From: enginetest.Window.From, To: enginetest.Midnight.Add(3 * time.Minute)}
	rate = found.EdgeRates["web → cart"] * found.End.Sub(found.Start).Seconds() / 150
	agreed, err := newEngine(store, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), long)
	require.NoError(t, err)
	require.Contains(t, strings.Join(agreed.Notices, " "), "1 of 1 edges agree")
	require.InDelta(t, rate, agreed.MetricRates["web → cart"], 1e-9)
	uncounted := &enginetest.Traces{Stored: store.Stored, Limit: 100, Sampled: true}
	level, err := newEngine(uncounted, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), long)
	require.NoError(t, err)
	require.InEpsilon(t, rate, level.EdgeRates["web → cart"], 1e-9, "the metrics say how much the sample stands for")
	rate *= 2
	apart, err := newEngine(store, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), long)
	require.NoError(t, err)
	require.Contains(t, strings.Join(apart.Notices, " "), "0 of 1 edges agree")
	metrics.Err = fmt.Errorf("no Prometheus today")
	without, err := newEngine(store, metrics).ServiceMap(context.Background(), query.ServiceMap{}.WithDefaults(), long)
	require.NoError(t, err)
	require.Contains(t, strings.Join(without.Notices, " "), "no Prometheus today")
}

// TestRootCause checks that deploys, patterns and metrics reach the suspects.
func TestRootCause(t *testing.T) {
	store := enginetest.ShopWithDeploy(tracetest.Shop{SlowQuery: 10})
	metrics := enginetest.Metrics{Value: func(promQL string, at time.Time) []series.Series {
		value := 0.0
		if strings.Contains(promQL, "wait_time") && strings.Contains(promQL, `"orders"`) && !at.Before(enginetest.Deployed) {
			value = 0.4
		}
		return []series.Series{{Values: []float64{value}}}
	}}
	found, err := newEngine(store, metrics).RootCause(context.Background(), query.RootCause{Service: "orders"}.WithDefaults(), enginetest.Window)
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

	metrics.Err = fmt.Errorf("no Prometheus today")
	without, err := newEngine(store, metrics).RootCause(context.Background(), query.RootCause{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.Equal(t, cause.Statement, without.Result.Suspects[0].Kind)
	require.Contains(t, strings.Join(without.Notices, " "), "no Prometheus today")
}

// lateTraces is a store that could not count a part of the window: the one with
// the deploy.
type lateTraces struct{ *enginetest.Traces }

func (l lateTraces) SpanCounts(ctx context.Context, service string, window upstream.Range) (upstream.SeriesSet, error) {
	set, err := l.Traces.SpanCounts(ctx, service, window)
	set.Series = slices.DeleteFunc(set.Series, func(one series.Series) bool { return one.Labels["service_version"] == "2" })
	set.Warnings = []string{"no span counts of the last hour: Tempo did not answer in time"}
	return set, err
}

// A count that fails for a moment hides a deploy; that none arrived is then not
// known, and not said.
func TestWhatWasNotCountedIsNotSaidToBeNoDeploy(t *testing.T) {
	store := enginetest.ShopWithDeploy(tracetest.Shop{NPlusOne: 20})
	said := func(traces upstream.Traces) string {
		found, err := newEngine(traces, nil).TraceDiff(t.Context(), query.TraceDiff{Service: "orders"}.WithDefaults(), enginetest.Window)
		require.NoError(t, err)
		return strings.Join(found.Notices, " ")
	}
	require.NotContains(t, said(store), "No deploy")
	late := said(lateTraces{store})
	require.Contains(t, late, "Tempo did not answer in time")
	require.NotContains(t, late, "No deploy of orders arrived")
	require.Contains(t, late, "No deploy of orders is known in this window, of which a part could not be looked at")
}
