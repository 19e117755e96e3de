package plugin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// counted is how many observations the registry that the SDK serves holds of a
// histogram, or the value of a counter.
func counted(t *testing.T, name string, labels map[string]string) (total float64) {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.Metric {
			matches := 0
			for _, label := range metric.Label {
				if labels[label.GetName()] == label.GetValue() {
					matches++
				}
			}
			if matches == len(labels) {
				total += float64(metric.GetHistogram().GetSampleCount()) + metric.GetCounter().GetValue()
			}
		}
	}
	return total
}

// TestWorkIsMeasured asks a server that fails, and reads the metrics as Grafana
// does.
func TestWorkIsMeasured(t *testing.T) {
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	t.Cleanup(down.Close)
	made, err := New(t.Context(), instance(`{"prometheus":{"url":"`+down.URL+`"}}`, nil))
	require.NoError(t, err)
	d := made.(*DataSource)
	t.Cleanup(d.Dispose)
	now := time.Now()
	measured := []struct {
		name   string
		labels map[string]string
	}{
		{"foresight_plugin_query_duration_seconds", map[string]string{"type": "forecast", "outcome": "server"}},
		{"foresight_plugin_upstream_request_duration_seconds", map[string]string{"upstream": "Prometheus", "outcome": "server"}},
		{"foresight_plugin_upstream_queue_duration_seconds", map[string]string{"upstream": "Prometheus"}},
		{"foresight_plugin_cache_requests_total", map[string]string{"cache": "upstream", "result": "miss"}},
	}
	before := make([]float64, len(measured))
	for i, m := range measured {
		before[i] = counted(t, m.name, m.labels)
	}
	response, err := d.QueryData(t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{{
		RefID: "A", QueryType: "forecast", JSON: json.RawMessage(`{"expr":"up"}`), TimeRange: backend.TimeRange{From: now.Add(-time.Hour), To: now},
	}}})
	require.NoError(t, err)
	require.Error(t, response.Responses["A"].Error)
	for i, m := range measured {
		require.Greater(t, counted(t, m.name, m.labels), before[i], m.name)
	}
}
