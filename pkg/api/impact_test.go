package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// alertsServer has an objective, missed for an hour before noon, and an alert
// that fired five minutes later.
type alertsServer struct{ upstream.Metrics }

func (alertsServer) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	var labels series.Labels
	var value func(at time.Time) float64
	switch {
	case promQL == "harm > bool 0":
		labels, value = series.Labels{"service": "cart"}, func(at time.Time) float64 {
			if at.Before(noon.Add(-time.Hour)) {
				return 0
			}
			return 1
		}
	case strings.Contains(promQL, "GRAFANA_ALERTS"):
		labels, value = series.Labels{"service": "cart", "alertname": "Errors"}, func(at time.Time) float64 {
			if at.Before(noon.Add(-55 * time.Minute)) {
				return math.NaN()
			}
			return 1
		}
	default:
		return upstream.SeriesSet{}, nil
	}
	one := series.Series{Labels: labels, Start: window.Start, Step: window.Step}
	for i := range window.Points() {
		one.Values = append(one.Values, value(window.Start.Add(time.Duration(i)*window.Step)))
	}
	return upstream.SeriesSet{Series: []series.Series{one}}, nil
}

func TestImpactAsJSON(t *testing.T) {
	e := &engine.Engine{Metrics: alertsServer{}, Now: func() time.Time { return noon }}
	h := New(e, Settings{CallerRate: 1000, Timeout: time.Minute})
	t.Cleanup(h.Close)
	mux := http.NewServeMux()
	h.Register(mux)
	ask := func(parameters string) (int, map[string]any) {
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/impact"+parameters, nil))
		var reported map[string]any
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &reported), recorder.Body.String())
		return recorder.Code, reported
	}
	status, reported := ask("?objective=harm+%3E+bool+0&service=cart")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, map[string]any{"value": 1.0, "between": reported["precision"].(map[string]any)["between"], "count": 1.0, "of": 1.0, "leftOut": 0.0}, reported["precision"])
	require.Equal(t, 300.0, reported["detect"].(map[string]any)["medianSeconds"])
	require.Nil(t, reported["detect"].(map[string]any)["medianBetweenSeconds"])
	require.Nil(t, reported["changeFailureRate"].(map[string]any)["value"])
	require.Empty(t, reported["prevented"])
	require.NotEmpty(t, reported["notices"])

	status, reported = ask("")
	require.Equal(t, http.StatusOK, status)
	require.Nil(t, reported["precision"].(map[string]any)["value"])

	for parameters, want := range map[string]string{
		"?from=yesterday": "milliseconds", "?to=noon": "milliseconds", "?perReplica=many": "perReplica", "?budget=soon": "budget", "?measure=joy": "measure",
	} {
		status, reported = ask(parameters)
		require.Equal(t, http.StatusBadRequest, status, parameters)
		require.Contains(t, reported["error"], want)
	}
}
