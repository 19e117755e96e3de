package deploys_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func annotated(markers ...annotation.Deploy) []deploys.Log {
	return []deploys.Log{{Source: deploys.FromAnnotation, Deploys: enginetest.Announcements{All: markers}}}
}

func askDeploys(t *testing.T, e *engine.Engine) []deploys.Deploy {
	t.Helper()
	found, err := e.Deploys(context.Background(), query.Deploys{Service: "orders"}, enginetest.Window)
	require.NoError(t, err)
	return found.Deploys
}

// TestDeploySources checks that of one deploy the most trusted source has the
// word on its instant.
func TestDeploySources(t *testing.T) {
	announced := enginetest.Deployed.Add(-4 * time.Second)
	imageAt := func(instant time.Time) enginetest.Metrics {
		return enginetest.Metrics{Value: func(promQL string, at time.Time) []series.Series {
			require.Contains(t, promQL, `kube_pod_container_info{container="orders"}`)
			one := func(image string, runs bool) series.Series {
				value := 0.0
				if runs {
					value = 2
				}
				return series.Series{Labels: series.Labels{"container": "orders", "image": "registry:5000/shop/orders:" + image}, Values: []float64{value}}
			}
			return []series.Series{one("1", at.Before(instant)), one("2", !at.Before(instant))}
		}}
	}
	imageChanged := imageAt(enginetest.Deployed.Add(-10 * time.Second))
	type want struct {
		version string
		at      time.Time
		source  deploys.Source
	}
	for name, c := range map[string]struct {
		store   *enginetest.Traces
		metrics upstream.Metrics
		markers []deploys.Log
		want    []want
	}{
		"the first span alone": {enginetest.ShopWithDeploy(tracetest.Shop{}), nil, nil, []want{{"2", enginetest.Deployed, deploys.FromVersion}}},
		"an annotation with the version": {enginetest.ShopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Service: "orders", Version: "2", At: announced}), []want{{"2", announced, deploys.FromAnnotation}}},
		"an annotation that names the service in its text": {enginetest.ShopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Text: "deployed orders to production", At: announced}), []want{{"2", announced, deploys.FromAnnotation}}},
		"an annotation of another service": {enginetest.ShopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Service: "cart", Version: "2", At: announced}, annotation.Deploy{Text: "orders-worker is out", At: announced},
				annotation.Deploy{Text: "orders", Words: []string{"web"}, At: announced}), []want{{"2", enginetest.Deployed, deploys.FromVersion}}},
		"a marker before an annotation": {enginetest.ShopWithDeploy(tracetest.Shop{}), nil, append(
			annotated(annotation.Deploy{Service: "orders", At: announced}),
			deploys.Log{Source: deploys.FromMarker, Deploys: enginetest.Announcements{All: []annotation.Deploy{{Service: "orders", Version: "2", At: announced.Add(time.Second)}}}},
		), []want{{"2", announced.Add(time.Second), deploys.FromMarker}}},
		"the first span before metrics": {enginetest.ShopWithDeploy(tracetest.Shop{}), imageChanged, nil, []want{{"2", enginetest.Deployed, deploys.FromVersion}}},
		"metrics alone, as spans carry no version": {enginetest.WithoutVersions(enginetest.ShopWithDeploy(tracetest.Shop{})), imageChanged, nil,
			[]want{{"2", enginetest.Deployed.Add(-10 * time.Second), deploys.FromMetrics}}},
		"an annotation before metrics": {enginetest.WithoutVersions(enginetest.ShopWithDeploy(tracetest.Shop{})), imageChanged,
			annotated(annotation.Deploy{Words: []string{"orders"}, At: announced}), []want{{"", announced, deploys.FromAnnotation}}},
		"two deploys": {enginetest.ShopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Service: "orders", Version: "2", At: announced}, annotation.Deploy{Service: "orders", Version: "3", At: announced.Add(20 * time.Second)}),
			[]want{{"2", announced, deploys.FromAnnotation}, {"3", announced.Add(20 * time.Second), deploys.FromAnnotation}}},
		"back to the version before": {enginetest.ShopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Service: "orders", Version: "1", At: enginetest.Deployed.Add(40 * time.Second)}),
			[]want{{"2", enginetest.Deployed, deploys.FromVersion}, {"1", enginetest.Deployed.Add(40 * time.Second), deploys.FromAnnotation}}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(c.store, c.metrics)
			e.DeployLogs = c.markers
			var got []want
			for _, d := range askDeploys(t, e) {
				if d.Arrived {
					got = append(got, want{d.Version, d.At, d.Source})
				}
			}
			require.Equal(t, c.want, got)
		})
	}
	back := newEngine(enginetest.ShopWithDeploy(tracetest.Shop{}), nil)
	back.DeployLogs = annotated(annotation.Deploy{Service: "orders", Version: "1", At: enginetest.Deployed.Add(40 * time.Second)})
	all := askDeploys(t, back)
	require.Equal(t, "2", all[len(all)-1].Previous)

	ignoring := newEngine(enginetest.ShopWithDeploy(tracetest.Shop{}), nil)
	ignoring.IgnoreVersions = true
	for _, d := range askDeploys(t, ignoring) {
		require.False(t, d.Arrived)
	}
	failing := newEngine(enginetest.ShopWithDeploy(tracetest.Shop{}), enginetest.Metrics{Err: errors.New("no Prometheus today"), Value: func(string, time.Time) []series.Series { return nil }})
	failing.DeployLogs = []deploys.Log{{Source: deploys.FromAnnotation, Deploys: enginetest.Announcements{Err: errors.New("no Grafana today")}}}
	found, err := failing.Deploys(context.Background(), query.Deploys{Service: "orders"}, enginetest.Window)
	require.NoError(t, err)
	require.Len(t, found.Deploys, 2, "what is known is the answer")
	require.Contains(t, strings.Join(found.Notices, " "), "no Prometheus today")
	require.Contains(t, strings.Join(found.Notices, " "), "no Grafana today")
	_, err = newEngine(nil, nil).Deploys(context.Background(), query.Deploys{}, enginetest.Window)
	require.Error(t, err)
}

func newEngine(traces upstream.Traces, metrics upstream.Metrics) *engine.Engine {
	return &engine.Engine{Traces: traces, Metrics: metrics, Limits: core.Limits{MaxTraces: 1000}, Now: func() time.Time { return enginetest.Midnight.Add(time.Hour) }}
}
