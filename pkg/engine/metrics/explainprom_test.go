package metrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
)

// TestExplainByPrometheusItself: what explain asks means what it should to
// Prometheus' own engine, for every form of a metric.
func TestExplainByPrometheusItself(t *testing.T) {
	end := enginetest.Noon
	from, change := end.Add(-2*time.Hour), end.Add(-20*time.Minute)
	var all []enginetest.Scraped
	for _, route := range []string{"/pay", "/list", "/cart"} {
		for _, pod := range []string{"a", "b"} {
			counter := func(name, le string, before, after float64) {
				labels := map[string]string{"__name__": name, "route": route, "pod": pod, "job": "shop"}
				if le != "" {
					labels["le"] = le
				}
				if route != "/pay" {
					after = before
				}
				all = append(all, enginetest.Scraped{Labels: labels, From: from, To: end, Every: 15 * time.Second, Value: func(at time.Time) float64 {
					if at.Before(change) {
						return at.Sub(from).Seconds() * before
					}
					return change.Sub(from).Seconds()*before + at.Sub(change).Seconds()*after
				}})
			}
			counter("http_requests_total", "", 10, 20)
			counter("http_requests_failed_total", "", 0.1, 8)
			counter("http_request_duration_seconds_bucket", "0.1", 9, 2)
			counter("http_request_duration_seconds_bucket", "1", 9.9, 6)
			counter("http_request_duration_seconds_bucket", "+Inf", 10, 20)
			all = append(all, enginetest.Scraped{Labels: map[string]string{"__name__": "queue_length", "route": route, "pod": pod}, From: from, To: end, Every: 15 * time.Second, Value: func(at time.Time) float64 {
				if route == "/pay" && !at.Before(change) {
					return 50
				}
				return 5
			}})
		}
	}
	e := &engine.Engine{Metrics: enginetest.NewPromServer(all...), Now: func() time.Time { return end }}
	for expr, before := range map[string]float64{
		"sum(rate(http_requests_total[5m]))": 60,
		`sum by (job) (rate(http_requests_failed_total[5m])) / sum by (job) (rate(http_requests_total[5m])) > 0`: 0.01,
		"1 - sum(rate(http_requests_failed_total[5m])) / sum(rate(http_requests_total[5m]))":                     0.99,
		"avg(queue_length)": 5,
		"queue_length":      30,
		"sum(rate(http_requests_total[$__rate_interval])) * 60":                                  3600,
		"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))": 0.05,
	} {
		found, err := e.Explain(t.Context(), query.Explain{Expr: expr}.WithDefaults(), core.Window{From: end.Add(-time.Hour), To: end})
		require.NoError(t, err, expr)
		require.WithinDuration(t, change, found.Since, 6*time.Minute, expr)
		require.NotEmpty(t, found.Splits, expr)
		first := found.Splits[0]
		require.Equal(t, "route", first.Label, expr)
		require.Equal(t, "/pay", first.Parts[0].Name, expr)
		require.Greater(t, first.Parts[0].Share, 0.9, expr)
		require.InDelta(t, before, first.Before*found.Scale+found.Offset, 0.3*before, expr)
	}
	counted, err := e.Explain(t.Context(), query.Explain{Expr: "count(queue_length)", Since: "-10m"}.WithDefaults(), core.Window{From: end.Add(-time.Hour), To: end})
	require.NoError(t, err)
	require.InDelta(t, 6, counted.Splits[0].Now, 1e-9)
}
