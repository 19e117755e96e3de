package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// observations is how often a histogram was observed under labels.
func observations(t *testing.T, vector *prometheus.HistogramVec, labels ...string) uint64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	metric := vector.WithLabelValues(labels...).(prometheus.Histogram)
	require.NoError(t, registry.Register(metric))
	families, err := registry.Gather()
	require.NoError(t, err)
	return families[0].Metric[0].Histogram.GetSampleCount()
}

func TestOutcome(t *testing.T) {
	for want, err := range map[string]error{
		"ok":        nil,
		"network":   fmt.Errorf("around: %w", &upstream.Error{Category: upstream.Network}),
		"timeout":   context.DeadlineExceeded,
		"cancelled": context.Canceled,
		"error":     errors.New("panic"),
	} {
		require.Equal(t, want, outcome(err))
	}
}

func TestQueriesAreCounted(t *testing.T) {
	for result, end := range map[string]func(func(error, int)){
		"ok":       func(f func(error, int)) { f(nil, http.StatusOK) },
		"rejected": func(f func(error, int)) { f(errors.New("expr is missing"), http.StatusBadRequest) },
		"error":    func(f func(error, int)) { f(errors.New("panic"), http.StatusInternalServerError) },
	} {
		before := observations(t, queries, "anomaly", result)
		_, f := Query(t.Context(), "anomaly", "panel")
		end(f)
		require.Equal(t, before+1, observations(t, queries, "anomaly", result), result)
	}
}

func TestFetchesAreCounted(t *testing.T) {
	before, waits := observations(t, fetches, "Tempo", "tls"), observations(t, fetchQueue, "Tempo")
	_, fetch := StartFetch(t.Context(), "Tempo")
	fetch.Admitted()
	fetch.End(10, &upstream.Error{Category: upstream.TLS})
	require.Equal(t, before+1, observations(t, fetches, "Tempo", "tls"))
	require.Equal(t, waits+1, observations(t, fetchQueue, "Tempo"))
}

// TestRoutesAreCounted: under their pattern, so that no name becomes a label.
func TestRoutesAreCounted(t *testing.T) {
	before := observations(t, apiRequests, "/keda/{name}", "4xx")
	handler := Route("/keda/{name}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) }))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/keda/cart", nil))
	require.Equal(t, before+1, observations(t, apiRequests, "/keda/{name}", "4xx"))
}

func TestStreamsAreCounted(t *testing.T) {
	end := StreamStarted()
	require.Equal(t, 1.0, testutil.ToFloat64(streams))
	end()
	require.Equal(t, 0.0, testutil.ToFloat64(streams))
	_, live := Live(t.Context())
	live(nil)
	require.GreaterOrEqual(t, testutil.ToFloat64(streamUpdates.WithLabelValues("ok")), 1.0)
}
