// Package compat asks servers with Prometheus' API every query type about
// metrics. Servers are named in the environment; those that are not are skipped
// with a word.
package compat

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream/dialect"
	"github.com/foresight-observability/foresight/pkg/upstream/prometheus"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// exposition is a day of a shop in Prometheus' text format, a sample a minute:
// cart in versions 1 and 2, its processors and its pool.
func exposition(end time.Time) string {
	var b strings.Builder
	from := end.Add(-26 * time.Hour)
	sample := func(name, labels string, at time.Time, value float64) {
		fmt.Fprintf(&b, "%s{service_name=\"cart\",instance=\"a\"%s} %g %d\n", name, labels, value, at.UnixMilli())
	}
	for at := from; !at.After(end); at = at.Add(time.Minute) {
		seconds := at.Sub(from).Seconds()
		for _, version := range []string{"1", "2"} {
			of := fmt.Sprintf(",service_version=%q,http_response_status_code=\"200\"", version)
			sample("http_server_request_duration_seconds_count", of, at, 10*seconds)
			for le, rate := range map[string]float64{"0.1": 9, "1": 9.9, "+Inf": 10} {
				sample("http_server_request_duration_seconds_bucket", fmt.Sprintf("%s,le=%q", of, le), at, rate*seconds)
			}
		}
		sample("process_cpu_time_seconds_total", "", at, 0.5*seconds)
		sample("process_cpu_utilization_ratio", "", at, 0.4)
	}
	return b.String()
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func post(t *testing.T, address, body string) {
	t.Helper()
	answer, err := http.Post(address, "text/plain", strings.NewReader(body))
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	require.Less(t, answer.StatusCode, 300, string(text))
}

// TestVictoriaMetrics needs the binary of its module's app/victoria-metrics.
func TestVictoriaMetrics(t *testing.T) {
	binary := os.Getenv("VICTORIA_METRICS")
	if binary == "" {
		t.Skip("set VICTORIA_METRICS to the binary of github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics to run this")
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	server := exec.CommandContext(t.Context(), binary, "-httpListenAddr="+address, "-storageDataPath="+t.TempDir(), "-search.latencyOffset=0s", "-retentionPeriod=30d")
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	require.Eventually(t, func() bool {
		answer, err := http.Get("http://" + address + "/health")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil
	}, 30*time.Second, 200*time.Millisecond)
	end := time.Now().Truncate(time.Minute)
	post(t, "http://"+address+"/api/v1/import/prometheus", exposition(end))
	post(t, "http://"+address+"/internal/force_flush", "")
	everyQuery(t, "http://"+address, end)
}

// everyQuery asks each query type about metrics, and what variables and filters
// need.
func everyQuery(t *testing.T, address string, end time.Time) {
	t.Helper()
	now := func() time.Time { return end }
	client, err := prometheus.New(transport.Config{Mode: transport.Direct, URL: address}, transport.Limits{Concurrency: 8, Timeout: time.Minute}, now)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	e := &engine.Engine{Metrics: dialect.Metrics(client), Now: now, Limits: engine.Limits{MaxSeries: 200}}
	ctx, window, day := t.Context(), core.Window{From: end.Add(-time.Hour), To: end}, query.Duration(24*time.Hour)

	capabilities, err := client.Probe(ctx)
	require.NoError(t, err)
	t.Logf("%s %s %v", capabilities.Product, capabilities.Version, capabilities.Warnings)
	require.NotEmpty(t, capabilities.Product)

	const rate = "sum(rate(http_server_request_duration_seconds_count[$__rate_interval]))"
	forecast, err := e.Forecast(ctx, query.Forecast{Expr: rate, History: day}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, forecast.Series, 1)
	require.InDelta(t, 20, forecast.Series[0].Forecast.Mean[0], 1)
	anomaly, err := e.Anomaly(ctx, query.Anomaly{Expr: rate, History: day, Filters: []query.Filter{{Key: "service_name", Value: "cart"}}}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, anomaly.Series, 1)
	require.Equal(t, anomaly.Series[0].Result.Actual.Len(), anomaly.Series[0].Result.Actual.Observed())
	limit := 1000.0
	breach, err := e.Breach(ctx, query.Breach{Expr: rate, Threshold: &limit, History: day}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, breach.Series, 1)
	composite, err := e.Composite(ctx, query.Composite{Service: "cart", History: day}.WithDefaults(), window)
	require.NoError(t, err)
	require.Empty(t, composite.Problem)
	require.GreaterOrEqual(t, len(composite.Result.Signals), 3)
	sizing, err := e.Sizing(ctx, query.Sizing{Service: "cart", History: day}.WithDefaults(), window)
	require.NoError(t, err)
	require.NotEmpty(t, sizing.Recommendations)
	verdict, err := e.Verdict(ctx, query.Verdict{Service: "cart", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"}}.WithDefaults(), window)
	require.NoError(t, err)
	require.NotEmpty(t, verdict.Judgement.Signals, "%v", verdict.Notices)
	impact, err := e.Impact(ctx, query.Impact{Objective: "sum by (service_name) (rate(http_server_request_duration_seconds_count[5m])) > bool 1000"}.WithDefaults(), window)
	require.NoError(t, err)
	require.NotZero(t, impact.To)
	deploys, err := e.Deploys(ctx, query.Deploys{Service: "cart"}.WithDefaults(), window)
	require.NoError(t, err)
	require.NotNil(t, deploys.Provenance)
	services, err := e.MeasuredServices(ctx, window)
	require.NoError(t, err)
	require.Equal(t, []string{"cart"}, services)
	names, err := e.Labels(ctx, nil, window)
	require.NoError(t, err)
	require.Contains(t, names.Names, "service_version")
	values, err := e.LabelValues(ctx, "service_version", nil, window)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2"}, values.Names)
}
