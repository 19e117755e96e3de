package signals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
)

// latencies are the presets of latency of a service.
func latencies(t *testing.T, metric, service string, chosen signals.Percentiles) (names, exprs []string, weight float64) {
	t.Helper()
	series := counter(1, 1, metric, "service_name", service)
	finder := signals.Finder{Sources: core.Sources{Metrics: enginetest.NewPromServer(series)}, Percentiles: chosen}
	found, err := finder.Presets(t.Context(), service, noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	for _, p := range found {
		if p.Kind == signals.Latency {
			names, exprs, weight = append(names, p.Name), append(exprs, p.Expr(service, time.Minute)), weight+p.Weight
		}
	}
	return names, exprs, weight
}

func TestPercentilesOfService(t *testing.T) {
	const classic, native = "http_server_request_duration_seconds_count", "http_server_request_duration_seconds"
	names, exprs, weight := latencies(t, classic, "orders", nil)
	require.Equal(t, []string{"http 95 % latency"}, names)
	require.Contains(t, exprs[0], "histogram_quantile(0.95, sum by (le)")
	require.InDelta(t, 1, weight, 1e-9)

	chosen := signals.Percentiles{"orders": {0.5, 0.95, 0.999}, "": {0.99}}
	names, exprs, weight = latencies(t, classic, "orders", chosen)
	require.Equal(t, []string{"http 50 % latency", "http 95 % latency", "http 99.9 % latency"}, names)
	require.Contains(t, exprs[0], "histogram_quantile(0.5, sum by (le)")
	require.Contains(t, exprs[2], "histogram_quantile(0.999, sum by (le)")
	require.InDelta(t, 1, weight, 1e-9, "together they weigh as one")

	names, exprs, _ = latencies(t, native, "web", chosen)
	require.Equal(t, []string{"http 99 % latency"}, names)
	require.Contains(t, exprs[0], "histogram_quantile(0.99, sum(rate(")

	names, exprs, _ = latencies(t, "http_server_duration_milliseconds_count", "web", chosen)
	require.Equal(t, []string{"http 99 % latency"}, names)
	require.Contains(t, exprs[0], "* 0.001")
}

func TestPercentilesAreChecked(t *testing.T) {
	for _, bad := range [][]float64{nil, {0}, {1}, {0.5, 0.5}, {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}} {
		require.Error(t, signals.Percentiles{"a": bad}.Check("a"), bad)
	}
	require.NoError(t, signals.Percentiles{"a": {0.5, 0.99}}.Check("a"))
}
