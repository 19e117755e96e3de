package traces_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// ramp is a counter that grows by one rate before an instant, and by another after.
func ramp(from, change time.Time, before, after float64) func(time.Time) float64 {
	return func(at time.Time) float64 {
		if at.Before(change) {
			return math.Floor(at.Sub(from).Seconds() * before)
		}
		return math.Floor(change.Sub(from).Seconds()*before + at.Sub(change).Seconds()*after)
	}
}

// TestCausesByPrometheusItself: the PromQL of every source means what it should to
// Prometheus' own engine. In the last quarter of an hour payment fails in a fifth of
// its requests, is out of memory, and has been scaled down.
func TestCausesByPrometheusItself(t *testing.T) {
	end := enginetest.Noon
	from, change := end.Add(-6*time.Hour), end.Add(-15*time.Minute)
	var all []enginetest.Scraped
	add := func(labels map[string]string, value func(time.Time) float64) {
		all = append(all, enginetest.Scraped{Labels: labels, From: from, To: end, Every: 15 * time.Second, Value: value})
	}
	for _, edge := range []struct {
		client, server      string
		rate, seconds, slow float64
		failed, failing     float64
	}{
		{"user", "web", 20, 2, 2, 0.02, 2}, {"web", "orders", 15, 1, 1, 0.01, 2}, {"orders", "payment", 10, 0.5, 0.5, 0.01, 2},
		{"orders", "stock", 12, 0.1, 0.1, 0, 0},
	} {
		labels := func(name string) map[string]string {
			return map[string]string{"__name__": name, "client": edge.client, "server": edge.server}
		}
		add(labels("traces_service_graph_request_total"), ramp(from, change, edge.rate, edge.rate))
		add(labels("traces_service_graph_request_failed_total"), ramp(from, change, edge.failed, edge.failing))
		add(labels("traces_service_graph_request_server_seconds_count"), ramp(from, change, edge.rate, edge.rate))
		sum := ramp(from, change, 100*edge.seconds, 100*edge.slow)
		add(labels("traces_service_graph_request_server_seconds_sum"), func(at time.Time) float64 { return sum(at) / 100 })
	}
	step := func(before, after float64) func(time.Time) float64 {
		return func(at time.Time) float64 {
			if at.Before(change) {
				return before
			}
			return after
		}
	}
	add(map[string]string{"__name__": "kube_deployment_spec_replicas", "namespace": "shop", "deployment": "payment"}, step(4, 1))
	add(map[string]string{"__name__": "kube_pod_container_status_restarts_total", "namespace": "shop", "pod": "payment-1", "container": "payment"}, step(0, 3))
	server := enginetest.NewPromServer(all...)
	e := &engine.Engine{Metrics: server, Now: func() time.Time { return end }}
	found, err := e.RootCause(t.Context(), query.RootCause{Service: "web", Signal: "errors"}.WithDefaults(), core.Window{From: end.Add(-time.Hour), To: end})
	require.NoError(t, err)
	require.Equal(t, diff.Regressed, found.Result.Verdict, found.Result.Reason)
	first := found.Metrics.Result.Suspects[0]
	require.Equal(t, "payment", first.Service, "%+v", found.Metrics.Result)
	require.InDelta(t, 0.2, first.Now, 0.05)
	require.WithinDuration(t, change, found.Metrics.Onset, 3*time.Minute)
	why := strings.Join(found.Metrics.Reasons[0], "; ")
	require.Contains(t, why, "replicas of payment from 4 to 1")
	require.Contains(t, why, "container payment, payment-1 restarted")
	require.Contains(t, why, "along web → orders → payment")
}
