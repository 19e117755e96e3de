package dialect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/dialect"
)

var end = enginetest.Noon

// shop is a server of cart's metrics as OpenTelemetry sends them, under names that
// a translation of Prometheus' makes of them.
func shop(unit, total string, resource ...string) *enginetest.PromServer {
	from := end.Add(-4 * time.Hour)
	counter := func(perSecond float64, name string, pairs ...string) enginetest.Scraped {
		return enginetest.Scraped{
			Labels: enginetest.Named(name, append(pairs, resource...)...), From: from, To: end, Every: 30 * time.Second, Value: enginetest.Counter(from, perSecond),
		}
	}
	var all []enginetest.Scraped
	for _, version := range []string{"1", "2"} {
		for status, rate := range map[string]float64{"200": 9, "500": 0.1} {
			labels := []string{"http.response.status_code", status, "service.version", version}
			all = append(all, counter(rate, "http.server.request.duration"+unit+"_count", labels...))
			for _, le := range []string{"0.1", "1", "+Inf"} {
				all = append(all, counter(rate, "http.server.request.duration"+unit+"_bucket", append(labels, "le", le)...))
			}
		}
	}
	all = append(all, counter(2, "process.cpu.time"+unit+total), counter(0, "target_info"))
	gauge := counter(0, "db.client.connection.count", "db.client.connection.state", "used", "db.client.connection.pool.name", "main")
	gauge.Value = func(time.Time) float64 { return 4 }
	all = append(all, gauge)
	limit := counter(0, "db.client.connection.max", "db.client.connection.pool.name", "main")
	limit.Value = func(time.Time) float64 { return 10 }
	return enginetest.NewPromServer(append(all, limit)...)
}

// TestNamesWithDots: every question finds what Prometheus stores under the names
// of OpenTelemetry, with units and without, by resource attribute and by job.
func TestNamesWithDots(t *testing.T) {
	for name, server := range map[string]*enginetest.PromServer{
		"with suffixes":          shop("_seconds", "_total", "service.name", "cart", "job", "shop/cart"),
		"as they are":            shop("", "", "service.name", "cart"),
		"no attribute, with job": shop("_seconds", "_total", "job", "shop/cart"),
		"job without namespace":  shop("", "", "job", "cart"),
	} {
		t.Run(name, func(t *testing.T) {
			e := &engine.Engine{Metrics: dialect.Metrics(server), Now: func() time.Time { return end }}
			window := core.Window{From: end.Add(-time.Hour), To: end}

			signal, err := e.Signal(t.Context(), "cart", "traffic", window)
			require.NoError(t, err)
			recent, err := e.Recent(t.Context(), signal.Expr, window)
			require.NoError(t, err)
			require.Len(t, recent.Series, 1)
			require.InDelta(t, 18.2, recent.Series[0].Values[5], 0.3)
			errors, err := e.Signal(t.Context(), "cart", "errors", window)
			require.NoError(t, err)
			recent, err = e.Recent(t.Context(), errors.Expr, window)
			require.NoError(t, err)
			require.InDelta(t, 0.011, recent.Series[0].Values[5], 0.002, "labels with dots select, too")

			health, err := e.Composite(t.Context(), query.Composite{Service: "cart", History: query.Duration(2 * time.Hour)}.WithDefaults(), window)
			require.NoError(t, err)
			require.Empty(t, health.Problem)
			require.GreaterOrEqual(t, len(health.Result.Signals), 4)

			services, err := e.MeasuredServices(t.Context(), window)
			require.NoError(t, err)
			require.Contains(t, services, "cart")

			pools, err := e.Recent(t.Context(), "sum by (db_client_connection_pool_name) (db_client_connection_count / on (db_client_connection_pool_name) group_left () db_client_connection_max)", window)
			require.NoError(t, err)
			require.Len(t, pools.Series, 1)
			require.Equal(t, "main", pools.Series[0].Labels["db_client_connection_pool_name"], "labels of answers have the names without dots")

			if name != "with suffixes" {
				return // the rest takes seconds, and asks in the same way
			}
			verdict, err := e.Verdict(t.Context(), query.Verdict{
				Service: "cart", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"},
			}.WithDefaults(), window)
			require.NoError(t, err)
			require.NotEmpty(t, verdict.Judgement.Signals, "%v", verdict.Notices)
			require.Positive(t, verdict.Judgement.Signals[0].Candidate.Requests)
		})
	}
}

// TestOtherServersAreAskedAsEver: without such names nothing is rewritten.
func TestOtherServersAreAskedAsEver(t *testing.T) {
	server := enginetest.NewPromServer(enginetest.Scraped{
		Labels: enginetest.Named("http_server_request_duration_seconds_count", "service_name", "cart"),
		From:   end.Add(-time.Hour), To: end, Every: time.Minute, Value: enginetest.Counter(end, 1),
	})
	queried := dialect.Metrics(server)
	at := upstream.Range{Start: end, End: end, Step: time.Minute}
	for _, promQL := range []string{"sum(http_server_request_duration_seconds_count)", "not PromQL http_server_request_duration", "up"} {
		_, _ = queried.QueryRange(t.Context(), promQL, at)
		require.Equal(t, promQL, server.Queries[len(server.Queries)-1])
	}
}

// TestBothNames: a server in the middle of a migration has services under either.
func TestBothNames(t *testing.T) {
	scraped := func(name, label, service string) enginetest.Scraped {
		return enginetest.Scraped{Labels: enginetest.Named(name, label, service), From: end.Add(-time.Hour), To: end, Every: time.Minute, Value: func(time.Time) float64 { return 1 }}
	}
	queried := dialect.Metrics(enginetest.NewPromServer(
		scraped("http_server_request_duration_seconds_count", "service_name", "cart"),
		scraped("http.server.request.duration_count", "service.name", "orders"),
	))
	set, err := queried.QueryRange(t.Context(), "sum by (service_name) (http_server_request_duration_seconds_count)", upstream.Range{Start: end, End: end, Step: time.Minute})
	require.NoError(t, err)
	require.Len(t, set.Series, 2)
	require.Equal(t, "cart", set.Series[0].Labels["service_name"])
	require.Equal(t, "orders", set.Series[1].Labels["service_name"])
	names, _, err := queried.LabelValues(t.Context(), "service_name", nil, end.Add(-time.Hour), end)
	require.NoError(t, err)
	require.Equal(t, []string{"cart", "orders"}, names)
}
