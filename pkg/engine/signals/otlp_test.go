package signals

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// otlpServer holds what OpenTelemetry's SDK of shop/cart sends to Prometheus: a
// target_info, and metrics without a label of the service.
type otlpServer struct{ upstream.Metrics }

func (otlpServer) LabelValues(_ context.Context, label string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	switch selector := selectors[0]; {
	case label == "job" && selector == "target_info":
		return []string{"plain", "shop/cart"}, nil, nil
	case label == "__name__" && strings.Contains(selector, `job=~"(.+/)?cart"`):
		return []string{"http_server_request_duration_seconds_count", "http_server_request_duration_seconds_bucket"}, nil, nil
	}
	return nil, nil, nil
}

// QueryRange: the samples say nothing of the scrape interval.
func (otlpServer) QueryRange(context.Context, string, upstream.Range) (upstream.SeriesSet, error) {
	return upstream.SeriesSet{}, nil
}

// TestServicesOfOpenTelemetryAreFound: Prometheus keeps service.namespace and
// service.name in the label job.
func TestServicesOfOpenTelemetryAreFound(t *testing.T) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	finder, window := Finder{Sources: core.Sources{Metrics: otlpServer{}}}, core.Window{From: noon.Add(-time.Hour), To: noon}
	services, err := finder.Services(t.Context(), window)
	require.NoError(t, err)
	require.Equal(t, []string{"cart", "plain"}, services)
	for _, kind := range []string{Traffic, Errors, Latency} {
		signal, err := finder.Signal(t.Context(), "cart", kind, window)
		require.NoError(t, err)
		require.Contains(t, signal.Expr, `{job=~"(.+/)?cart"`)
	}
	_, err = finder.Signal(t.Context(), "art", Traffic, window)
	require.Error(t, err, "the end of a name is no name")
}
