package traces_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// TestTheGuiltyDeployIsRankedFirst: web and payment, which it calls, were
// released within ten minutes, and so was a service that web does not call.
// Payment's new pods fail; web's pods of both versions fail with them.
func TestTheGuiltyDeployIsRankedFirst(t *testing.T) {
	start := enginetest.Midnight
	released := map[string]time.Time{"web": start.Add(20 * time.Minute), "payment": start.Add(25 * time.Minute), "blog": start.Add(22 * time.Minute)}
	answer := func(bad float64) *graphMetrics {
		return &graphMetrics{names: []string{"traces_service_graph_request_total", "http_server_request_duration_seconds_count"}, Metrics: enginetest.Metrics{Value: func(promQL string, at time.Time) (all []series.Series) {
			failed := strings.Contains(promQL, "failed") || strings.Contains(promQL, "5..")
			value := func(share float64) []float64 {
				switch {
				case failed:
					return []float64{600 * share}
				case strings.Contains(promQL, "_sum"):
					return []float64{600 * 0.05}
				}
				return []float64{600}
			}
			broken := 0.001
			if at.After(released["payment"]) {
				broken = 0.001 + bad
			}
			if strings.Contains(promQL, "service_graph") {
				return append(all, series.Series{Labels: series.Labels{"client": "web", "server": "payment"}, Values: value(broken)})
			}
			if !strings.Contains(promQL, "by (service_name, service_version") {
				return nil
			}
			require.NotContains(t, promQL, "blog")
			for _, service := range []string{"web", "payment"} {
				for _, pod := range []string{"a", "b", "c"} {
					for _, version := range []string{"1", "2"} {
						share := 0.001
						if service == "web" || version == "2" {
							share = broken
						}
						values := value(share)
						if version == "2" && !at.After(released[service]) {
							values = []float64{0}
						}
						all = append(all, series.Series{Labels: series.Labels{"service_name": service, "service_version": version, "pod": pod}, Values: values})
					}
				}
			}
			return all
		}}}
	}
	window := core.Window{From: start, To: start.Add(50 * time.Minute)}
	queried := query.RootCause{Service: "web", View: query.Changes}.WithDefaults()
	for _, test := range []struct {
		bad  float64
		want diff.Verdict
	}{{0.05, diff.Regressed}, {0, diff.NoChange}} {
		e := newEngine(nil, answer(test.bad))
		e.Now = func() time.Time { return window.To }
		var announced []annotation.Deploy
		for service, at := range released {
			announced = append(announced, annotation.Deploy{Service: service, Version: "2", At: at})
		}
		e.DeployLogs = annotated(announced...)
		got, err := e.RootCause(t.Context(), queried, window)
		require.NoError(t, err)
		require.Equal(t, test.want, got.Result.Verdict, got.Result.Reason)
		require.Len(t, got.Changes, 2)
		require.Contains(t, strings.Join(got.Notices, " "), "1 deploys of services that web does not call")
		if test.bad > 0 {
			first := got.Changes[0]
			require.Equal(t, "payment", first.Service)
			require.True(t, first.Controlled)
			require.InDelta(t, test.bad, first.Errors, 0.005)
			require.Less(t, got.Changes[1].Score, 2.0, "web's new pods are as its old ones")
			require.Contains(t, got.Result.Reason, "payment 2 is to blame: +5 points of errors")
		}
	}
	e := newEngine(nil, answer(0))
	got, err := e.RootCause(t.Context(), queried, window)
	require.NoError(t, err)
	require.Equal(t, diff.Insufficient, got.Result.Verdict)
	require.Contains(t, got.Result.Reason, "No service was deployed")
}
