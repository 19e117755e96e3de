package ops_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/query"
)

// rolledOutShop serves 100 requests a second with four pods, of which one in a
// hundred fails and a tenth takes more than half a second.
func rolledOutShop(failing float64) ops.Advisor {
	from, to := enginetest.Midnight, enginetest.Midnight.Add(8*time.Hour)
	var all []enginetest.Scraped
	for _, pod := range []string{"a", "b", "c", "d"} {
		count := func(name string, perSecond float64, pairs ...string) {
			labels := enginetest.Named(name, append([]string{"service_name", "orders", "service_version", "7", "k8s_pod_name", pod}, pairs...)...)
			all = append(all, enginetest.Scraped{Labels: labels, From: from, To: to, Every: 30 * time.Second, Value: enginetest.Counter(from, perSecond)})
		}
		const metric = "http_server_request_duration_seconds"
		count(metric+"_count", 25*(1-failing), "http_response_status_code", "200")
		count(metric+"_count", 25*failing, "http_response_status_code", "500")
		for le, share := range map[string]float64{"0.1": 0.5, "0.25": 0.75, "0.5": 0.9, "1": 0.99, "+Inf": 1} {
			count(metric+"_bucket", 25*share, "http_response_status_code", "200", "le", le)
		}
	}
	sources := core.Sources{Metrics: enginetest.NewPromServer(all...), Now: func() time.Time { return to }, Limits: core.Limits{MaxSeries: 1000}}
	return ops.Advisor{Sources: sources, Evaluator: metrics.Evaluator{Sources: sources}}
}

func plan(t *testing.T, e ops.Advisor, q query.Rollout) ops.RolloutAnswer {
	t.Helper()
	q.Service = "orders"
	q = q.WithDefaults()
	require.NoError(t, q.Validate())
	answer, err := e.Rollout(context.Background(), q, core.Window{From: e.Now().Add(-time.Hour), To: e.Now()})
	require.NoError(t, err)
	return answer
}

func TestRollout(t *testing.T) {
	answer := plan(t, rolledOutShop(0.01), query.Rollout{})
	require.True(t, answer.Plan.Kept(), "%+v", answer.Plan.Relax)
	require.Equal(t, "errors", answer.Signal)
	require.Equal(t, 4, answer.Pods)
	require.InDelta(t, 0.01, answer.Bad, 0.0005)
	require.InDelta(t, 100, answer.Rate, 2)
	require.GreaterOrEqual(t, answer.Plan.InTime, 0.94)
	require.LessOrEqual(t, answer.Plan.HarmedAtMost, 1000.0)
	require.InDelta(t, 0.01, answer.Plan.Steps[0].Weight, 1e-9)
	require.NotEmpty(t, answer.Even.Steps)
	require.NotEmpty(t, answer.Queries)
}

func TestRolloutOfASlowVersion(t *testing.T) {
	answer := plan(t, rolledOutShop(0.01), query.Rollout{Slowdown: 2, MaxHarmed: 5000})
	require.True(t, answer.Plan.Kept(), "%+v", answer.Plan.Relax)
	require.Equal(t, "share of requests over 1 s", answer.Signal)
	require.InDelta(t, 10, answer.Ratio, 0.5, "a tenth takes more than half of the limit, where one in a hundred is beyond it")
}

func TestRolloutWithoutAFailure(t *testing.T) {
	answer := plan(t, rolledOutShop(0), query.Rollout{})
	require.False(t, answer.Plan.Kept(), "three times as many as none are within the margin")
	require.Contains(t, answer.Plan.Relax[0].Text(), "margin")
	require.Contains(t, answer.Notices[0], "went wrong")
}

func TestRolloutOfAnUnknownService(t *testing.T) {
	e := rolledOutShop(0.01)
	_, err := e.Rollout(context.Background(), query.Rollout{Service: "nobody"}.WithDefaults(), core.Window{From: e.Now().Add(-time.Hour), To: e.Now()})
	require.ErrorContains(t, err, `no requests of service "nobody" are counted`)
}
