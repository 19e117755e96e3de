package traces_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// graphMetrics are the metrics of a shop in which web calls orders, and orders
// payment and a database. In the last minutes payment is slow.
type graphMetrics struct {
	enginetest.Metrics
	names []string
	since time.Time
	slow  string
}

func (g graphMetrics) LabelValues(_ context.Context, label string, _ []string, _, _ time.Time) ([]string, []string, error) {
	if label == "__name__" {
		return g.names, nil, nil
	}
	return nil, nil, nil
}

// countedCalls answers a sum by (client, server) of an increase.
func countedCalls(client, server string, rates map[[2]string]float64, latency func(server string, at time.Time) float64) func(string, time.Time) []series.Series {
	return func(promQL string, at time.Time) (found []series.Series) {
		if !strings.Contains(promQL, "increase(") {
			return nil
		}
		for _, edge := range [][2]string{{"user", "web"}, {"web", "orders"}, {"orders", "payment"}, {"orders", "database"}} {
			wobble := 1 + 0.02*float64((at.Unix()/60*7+int64(len(edge[1])))%5-2)
			value := rates[edge] * wobble
			switch {
			case strings.Contains(promQL, "failed") || strings.Contains(promQL, "response_code"):
				value = 0
			case strings.Contains(promQL, "_sum"):
				value *= latency(edge[1], at) * (1 + 0.03*float64((at.Unix()/60*3)%7-3))
			}
			found = append(found, series.Series{Labels: series.Labels{client: edge[0], server: edge[1]}, Values: []float64{value}})
		}
		return found
	}
}

var shopRates = map[[2]string]float64{{"user", "web"}: 600, {"web", "orders"}: 500, {"orders", "payment"}: 400, {"orders", "database"}: 900}

func (g graphMetrics) latency(unit float64) func(string, time.Time) float64 {
	own := map[string]float64{"web": 0.01, "orders": 0.02, "payment": 0.05, "database": 0.004}
	var of func(server string, at time.Time) float64
	of = func(server string, at time.Time) float64 {
		seconds := own[server]
		if server == g.slow && at.After(g.since) {
			seconds += 0.2
		}
		for edge, rate := range shopRates {
			if edge[0] == server {
				into := shopRates[[2]string{"user", "web"}]
				if server == "orders" {
					into = shopRates[[2]string{"web", "orders"}]
				}
				seconds += rate / into * of(edge[1], at)
			}
		}
		return seconds
	}
	return func(server string, at time.Time) float64 { return unit * of(server, at) }
}

// TestACauseFromMetricsAlone: without a trace store, from a service graph or from
// Istio's metrics, with the same answer.
func TestACauseFromMetricsAlone(t *testing.T) {
	end := enginetest.Midnight.Add(time.Hour)
	window := core.Window{From: end.Add(-time.Hour), To: end}
	for _, kind := range []struct {
		name, client, server string
		unit                 float64
	}{
		{"traces_service_graph_request_total", "client", "server", 1},
		{"istio_requests_total", "source_canonical_service", "destination_canonical_service", 1000},
	} {
		g := graphMetrics{names: []string{kind.name}, since: end.Add(-12 * time.Minute), slow: "payment"}
		g.Value = countedCalls(kind.client, kind.server, shopRates, g.latency(kind.unit))
		found, err := newEngine(nil, g).RootCause(t.Context(), query.RootCause{Service: "web"}.WithDefaults(), window)
		require.NoError(t, err)
		require.Equal(t, diff.Regressed, found.Result.Verdict, found.Result.Reason)
		m := found.Metrics
		require.Equal(t, propagation.Latency, m.Signal, "the abnormal one of both")
		require.Equal(t, "payment", m.Result.Suspects[0].Service)
		require.Equal(t, []string{"web", "orders", "payment"}, m.Result.Suspects[0].Path)
		require.InDelta(t, 0.25, m.Result.Suspects[0].Now, 0.02)
		require.ElementsMatch(t, []string{"web", "orders"}, m.Result.Victims)
		require.WithinDuration(t, g.since, m.Onset, time.Minute)
		require.Contains(t, strings.Join(m.Reasons[0], "; "), "along web → orders → payment")
		require.NotContains(t, strings.Join(m.Reasons[0], "; "), "times as many requests")

		errorsOnly, err := newEngine(nil, g).RootCause(t.Context(), query.RootCause{Service: "web", Signal: "errors"}.WithDefaults(), window)
		require.NoError(t, err)
		require.Equal(t, diff.NoChange, errorsOnly.Result.Verdict)

		g.slow = ""
		g.Value = countedCalls(kind.client, kind.server, shopRates, g.latency(kind.unit))
		quiet, err := newEngine(nil, g).RootCause(t.Context(), query.RootCause{Service: "web"}.WithDefaults(), window)
		require.NoError(t, err)
		require.Equal(t, diff.NoChange, quiet.Result.Verdict)

		_, err = newEngine(nil, g).RootCause(t.Context(), query.RootCause{Service: "nobody"}.WithDefaults(), window)
		require.ErrorContains(t, err, "those that have: database, orders, payment, user, web")
	}
	_, err := newEngine(nil, graphMetrics{}).RootCause(t.Context(), query.RootCause{Service: "web"}.WithDefaults(), window)
	require.ErrorContains(t, err, "no metrics of services under well-known names")
	_, err = newEngine(nil, nil).RootCause(t.Context(), query.RootCause{Service: "web"}.WithDefaults(), window)
	require.ErrorContains(t, err, "no trace store")
}

// TestMetricsTellSinceWhenTracesAreCompared: a question about a signal needs no
// deploy.
func TestMetricsTellSinceWhenTracesAreCompared(t *testing.T) {
	end := enginetest.Midnight.Add(2 * time.Minute)
	g := graphMetrics{names: []string{"traces_service_graph_request_total"}, since: enginetest.Deployed, slow: "payment"}
	g.Value = countedCalls("client", "server", shopRates, g.latency(1))
	store := enginetest.WithoutVersions(enginetest.ShopWithDeploy(tracetest.Shop{NPlusOne: 20}))
	e := newEngine(store, g)
	e.Now = func() time.Time { return end }
	found, err := e.RootCause(t.Context(), query.RootCause{Service: "web", Signal: "latency"}.WithDefaults(), core.Window{From: end.Add(-30 * time.Minute), To: end})
	require.NoError(t, err)
	require.NotNil(t, found.Metrics)
	require.True(t, found.Metrics.Begun)
	require.Equal(t, found.Metrics.Onset, found.Start)
	require.Equal(t, "payment", found.Metrics.Result.Suspects[0].Service)

	either, err := e.RootCause(t.Context(), query.RootCause{Service: "web", Signal: query.AnySignal}.WithDefaults(), core.Window{From: end.Add(-30 * time.Minute), To: end})
	require.NoError(t, err)
	require.Equal(t, found, either, "latency is the more abnormal")

	g.Err = context.DeadlineExceeded
	alone, err := newEngine(store, g).RootCause(t.Context(), query.RootCause{Service: "web", Signal: "latency",
		Baseline: query.Population{To: enginetest.Deployed.Format(time.RFC3339)}, Candidate: query.Population{From: enginetest.Deployed.Format(time.RFC3339)}}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.Nil(t, alone.Metrics)
	require.Contains(t, strings.Join(alone.Notices, " "), "Traces alone were compared")
}

// TestVersionsAreComparedWhereOneArrivedAtTheOnset: in the first minute after a
// deploy, most traces since the onset are of the version before.
func TestVersionsAreComparedWhereOneArrivedAtTheOnset(t *testing.T) {
	end := enginetest.Deployed.Add(25 * time.Second)
	for name, test := range map[string]struct {
		ahead time.Duration // of the onset before the deploy
		want  string
	}{
		"at the onset": {time.Minute, "2"}, "long after it": {20 * time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := graphMetrics{names: []string{"traces_service_graph_request_total"}, since: enginetest.Deployed.Add(-test.ahead), slow: "orders"}
			g.Value = countedCalls("client", "server", shopRates, g.latency(1))
			e := newEngine(enginetest.ShopWithDeploy(tracetest.Shop{NPlusOne: 20}), g)
			e.Now = func() time.Time { return end }
			found, err := e.RootCause(t.Context(), query.RootCause{Service: "orders", Signal: "latency"}.WithDefaults(), core.Window{From: end.Add(-30 * time.Minute), To: end})
			require.NoError(t, err)
			require.NotNil(t, found.Metrics)
			require.True(t, found.Metrics.Begun)
			require.Equal(t, test.want, found.CandidateVersion)
		})
	}
}
