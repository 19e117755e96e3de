package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// announcements is a place where deploys are announced.
type announcements struct {
	deploys []annotation.Deploy
	err     error
}

func (a announcements) Read(_ context.Context, start, end time.Time) (found []annotation.Deploy, warnings []string, err error) {
	for _, m := range a.deploys {
		if !m.At.Before(start) && !m.At.After(end) {
			found = append(found, m)
		}
	}
	return found, nil, a.err
}

func annotated(deploys ...annotation.Deploy) []DeployLog {
	return []DeployLog{{FromAnnotation, announcements{deploys: deploys}}}
}

func askDeploys(t *testing.T, e *Engine) []Deploy {
	t.Helper()
	found, err := e.Deploys(context.Background(), query.Deploys{Service: "orders"}, window)
	require.NoError(t, err)
	return found.Deploys
}

// without is the shop whose traces carry no versions.
func without(store *fakeTraces) *fakeTraces {
	for i := range store.traces {
		for j := range store.traces[i].Spans {
			store.traces[i].Spans[j].Version = ""
		}
	}
	return store
}

// TestDeploySources checks that of one deploy the most trusted source has the
// word on its instant.
func TestDeploySources(t *testing.T) {
	announced := deployed.Add(-4 * time.Second)
	imageAt := func(instant time.Time) fakeMetrics {
		return fakeMetrics{value: func(promQL string, at time.Time) []series.Series {
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
	imageChanged := imageAt(deployed.Add(-10 * time.Second))
	type want struct {
		version string
		at      time.Time
		source  DeploySource
	}
	for name, c := range map[string]struct {
		store   *fakeTraces
		metrics upstream.Metrics
		markers []DeployLog
		want    []want
	}{
		"the first span alone": {shopWithDeploy(tracetest.Shop{}), nil, nil, []want{{"2", deployed, FromVersion}}},
		"an annotation with the version": {shopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Service: "orders", Version: "2", At: announced}), []want{{"2", announced, FromAnnotation}}},
		"an annotation that names the service in its text": {shopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Text: "deployed orders to production", At: announced}), []want{{"2", announced, FromAnnotation}}},
		"an annotation of another service": {shopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Service: "cart", Version: "2", At: announced}, annotation.Deploy{Text: "orders-worker is out", At: announced},
				annotation.Deploy{Text: "orders", Words: []string{"web"}, At: announced}), []want{{"2", deployed, FromVersion}}},
		"a marker before an annotation": {shopWithDeploy(tracetest.Shop{}), nil, append(
			annotated(annotation.Deploy{Service: "orders", At: announced}),
			DeployLog{FromMarker, announcements{deploys: []annotation.Deploy{{Service: "orders", Version: "2", At: announced.Add(time.Second)}}}},
		), []want{{"2", announced.Add(time.Second), FromMarker}}},
		"the first span before metrics": {shopWithDeploy(tracetest.Shop{}), imageChanged, nil, []want{{"2", deployed, FromVersion}}},
		"metrics alone, as spans carry no version": {without(shopWithDeploy(tracetest.Shop{})), imageChanged, nil,
			[]want{{"2", deployed.Add(-10 * time.Second), FromMetrics}}},
		"an annotation before metrics": {without(shopWithDeploy(tracetest.Shop{})), imageChanged,
			annotated(annotation.Deploy{Words: []string{"orders"}, At: announced}), []want{{"", announced, FromAnnotation}}},
		"two deploys": {shopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Service: "orders", Version: "2", At: announced}, annotation.Deploy{Service: "orders", Version: "3", At: announced.Add(20 * time.Second)}),
			[]want{{"2", announced, FromAnnotation}, {"3", announced.Add(20 * time.Second), FromAnnotation}}},
		"back to the version before": {shopWithDeploy(tracetest.Shop{}), nil,
			annotated(annotation.Deploy{Service: "orders", Version: "1", At: deployed.Add(40 * time.Second)}),
			[]want{{"2", deployed, FromVersion}, {"1", deployed.Add(40 * time.Second), FromAnnotation}}},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine(c.store, c.metrics)
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
	back := engine(shopWithDeploy(tracetest.Shop{}), nil)
	back.DeployLogs = annotated(annotation.Deploy{Service: "orders", Version: "1", At: deployed.Add(40 * time.Second)})
	all := askDeploys(t, back)
	require.Equal(t, "2", all[len(all)-1].Previous)

	ignoring := engine(shopWithDeploy(tracetest.Shop{}), nil)
	ignoring.IgnoreVersions = true
	for _, d := range askDeploys(t, ignoring) {
		require.False(t, d.Arrived)
	}
	failing := engine(shopWithDeploy(tracetest.Shop{}), fakeMetrics{err: errors.New("no Prometheus today"), value: func(string, time.Time) []series.Series { return nil }})
	failing.DeployLogs = []DeployLog{{FromAnnotation, announcements{err: errors.New("no Grafana today")}}}
	found, err := failing.Deploys(context.Background(), query.Deploys{Service: "orders"}, window)
	require.NoError(t, err)
	require.Len(t, found.Deploys, 2, "what is known is the answer")
	require.Contains(t, strings.Join(found.Notices, " "), "no Prometheus today")
	require.Contains(t, strings.Join(found.Notices, " "), "no Grafana today")
	_, err = engine(nil, nil).Deploys(context.Background(), query.Deploys{}, window)
	require.Error(t, err)
}

// TestAnnouncedDeployIsCompared checks that an announced instant parts the
// traces where spans carry no version, and that it is said.
func TestAnnouncedDeployIsCompared(t *testing.T) {
	e := engine(without(shopWithDeploy(tracetest.Shop{NPlusOne: 20})), nil)
	e.DeployLogs = annotated(annotation.Deploy{Service: "orders", Version: "2024-1", At: deployed, Text: "release 2024-1"})
	found, err := e.Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), window)
	require.NoError(t, err)
	require.True(t, found.Compared)
	require.Len(t, found.Result.Findings, 1)
	require.Equal(t, pattern.Introduced, found.Result.Findings[0].Change)
	notices := strings.Join(found.Notices, " ")
	require.Contains(t, notices, "an annotation in Grafana (release 2024-1)")
	require.Contains(t, notices, "Spans do not carry both versions")

	e.Now = func() time.Time { return deployed.Add(2 * time.Second) }
	early, err := e.TraceDiff(context.Background(), query.TraceDiff{Service: "orders"}.WithDefaults(), Window{From: window.From, To: deployed.Add(time.Second)})
	require.NoError(t, err, "a rule that asks at the instant of the deploy must not fail")
	require.Equal(t, diff.Insufficient, early.Result.Verdict)
	e.Now = func() time.Time { return midnight.Add(time.Hour) }

	compared, err := e.TraceDiff(context.Background(), query.TraceDiff{Service: "orders"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Equal(t, diff.Regressed, compared.Result.Verdict, compared.Result.Reason)
	require.Contains(t, strings.Join(compared.Notices, " "), "an annotation in Grafana")
}

// TestBuildOf checks what is read off information metrics.
func TestBuildOf(t *testing.T) {
	for image, want := range map[string]string{
		"shop/orders:2.0.1": "2.0.1", "registry:5000/orders:2": "2", "registry:5000/orders": "", "orders": "", "": "",
		"orders@sha256:0123456789abcdef0123": "0123456789ab", "orders:2.1@sha256:0123": "2.1", "orders:latest": "", "orders:latest@sha256:0123456789abcdef": "0123456789ab",
	} {
		require.Equal(t, want, imageVersion(image), image)
	}
	kind, owner, version := buildOf(series.Labels{"__name__": "orders_build_info", "job": "shop/orders", "version": "2"})
	require.Equal(t, []string{"orders_build_info", "orders", "2"}, []string{kind, owner, version})
	_, _, version = buildOf(series.Labels{"__name__": "go_build_info", "job": "orders", "version": "(devel)"})
	require.Empty(t, version)
	kind, owner, version = buildOf(series.Labels{"job": "orders", "service_version": "3"})
	require.Equal(t, []string{"target_info", "orders", "3"}, []string{kind, owner, version})
	require.Contains(t, buildQuery(`a "b"`), `container="a \"b\""`)
}
