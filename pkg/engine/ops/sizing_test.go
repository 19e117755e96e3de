package ops_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// sizedServer has the metrics of one service with four replicas, a pool and a
// cache, and a daily rhythm.
type sizedServer struct {
	upstream.Metrics
	without []string // parts of the PromQL that nothing is known of
	held    float64  // seconds for which connections are held
	late    float64  // timeouts per second and instance
	busy    float64  // share of the threads that a request per second takes
}

func (s sizedServer) LabelValues(_ context.Context, _ string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	if strings.Contains(selectors[0], `service="shop"`) && !s.lacks("traces_spanmetrics") {
		return []string{"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"}, nil, nil
	}
	return nil, nil, nil
}

func (s sizedServer) lacks(promQL string) bool {
	for _, part := range s.without {
		if strings.Contains(promQL, part) {
			return true
		}
	}
	return false
}

func (s sizedServer) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	if s.lacks(promQL) {
		return upstream.SeriesSet{}, nil
	}
	one := series.Series{Start: window.Start, Step: window.Step}
	if strings.Contains(promQL, "pool_name") {
		one.Labels = series.Labels{"db_client_connection_pool_name": "shop-db"}
	}
	for at := window.Start; !at.After(window.End); at = at.Add(window.Step) {
		minute := float64(at.Unix() / 60)
		load := 200 + 60*math.Sin(2*math.Pi*minute/1440) + 2*math.Sin(minute*1.7)
		one.Values = append(one.Values, s.value(promQL, load))
	}
	return upstream.SeriesSet{Series: []series.Series{one}}, nil
}

func (s sizedServer) value(promQL string, load float64) float64 {
	switch {
	case strings.Contains(promQL, "kube_deployment_status_replicas_ready"):
		return 4
	case strings.Contains(promQL, "jvm_cpu_recent_utilization_ratio"):
		return 0.1 + load/4/100
	case strings.Contains(promQL, "memory"):
		return 0.4
	case strings.Contains(promQL, "tomcat_threads_busy"):
		return load / 4 * s.busy
	case strings.Contains(promQL, "connection_timeouts"):
		return s.late
	case strings.Contains(promQL, "connection_count"):
		return load / 4 * s.held
	case strings.Contains(promQL, "connection_max"):
		return 5
	case strings.Contains(promQL, "connection_wait_time"):
		return load / 4
	case strings.Contains(promQL, "keyspace_hits") && strings.Contains(promQL, "keyspace_misses"):
		return load
	case strings.Contains(promQL, "keyspace_hits"):
		return load * 0.9
	case strings.Contains(promQL, "keyspace_misses"):
		return load * 0.1
	case strings.Contains(promQL, "STATUS_CODE_ERROR"):
		return 0.001
	case strings.Contains(promQL, "histogram_quantile(0.99"):
		return 0.25
	}
	return load
}

func sizingOf(t *testing.T, server sizedServer, q query.Sizing) (ops.SizingAnswer, map[sizing.Sizing]sizing.Recommendation) {
	t.Helper()
	end := time.Date(2026, 3, 2, 4, 0, 30, 0, time.UTC) // the load grows: 252 of 260 at its peak
	e := &engine.Engine{Metrics: server, Now: func() time.Time { return end }}
	q.Service, q.History = "shop", query.Duration(3*24*time.Hour)
	got, err := e.Sizing(t.Context(), q.WithDefaults(), core.Window{From: end.Add(-6 * time.Hour), To: end.Add(time.Hour)})
	require.NoError(t, err)
	byKind := map[sizing.Sizing]sizing.Recommendation{}
	for _, one := range got.Recommendations {
		byKind[one.Sizing] = one
	}
	require.Len(t, byKind, 7)
	return got, byKind
}

func TestSizing(t *testing.T) {
	got, sizes := sizingOf(t, sizedServer{held: 0.04}, query.Sizing{WarmTime: query.Duration(5 * time.Minute)})
	require.Equal(t, time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC), got.At)
	for kind, one := range sizes {
		require.Empty(t, one.Problem, kind)
		require.NotEmpty(t, one.Reason, kind)
	}
	// A replica is busy to 0.1 without load, and fully at 90 requests/s; 252 over
	// 63 are 4 now, and a little more in ten minutes.
	replicas := sizes[sizing.SizeReplicas]
	require.Equal(t, 5.0, replicas.Value)
	require.Equal(t, 4.0, replicas.Current)
	// 65 connections per second of 40 ms: 2.6 in use at the day's peak.
	pool := sizes[sizing.SizePool]
	require.Equal(t, "shop-db", pool.Subject)
	require.Equal(t, 5.0, pool.Current)
	require.InDelta(t, 6, pool.Value, 1)
	require.InDelta(t, 262*0.25*1.5, sizes[sizing.SizeConcurrency].Value, 3)
	require.Equal(t, 3.0, sizes[sizing.SizeOutliers].Value)
	require.Positive(t, sizes[sizing.SizeBreaker].Value)
	require.Contains(t, sizes[sizing.SizeCacheWarm].Reason, "Nothing to warm")
	require.InDelta(t, 1-4*63/255.0, sizes[sizing.SizeShed].Value, 0.03)
}

// TestSizingByConcurrency: threads are all busy at 55 requests/s a replica, before
// the processor is at 90.
func TestSizingByConcurrency(t *testing.T) {
	_, sizes := sizingOf(t, sizedServer{held: 0.001, busy: 1.0 / 55}, query.Sizing{})
	replicas := sizes[sizing.SizeReplicas]
	require.Contains(t, replicas.Reason, "which its concurrency bounds")
	require.InDelta(t, 262/(55*0.7), replicas.Value, 1.1)
}

func TestSizingForTheExpectedLoad(t *testing.T) {
	high, _ := sizingOf(t, sizedServer{held: 0.04}, query.Sizing{})
	expected, _ := sizingOf(t, sizedServer{held: 0.04}, query.Sizing{Quantile: 0.5})
	peak := func(a ops.SizingAnswer) float64 { return a.Recommendations[0].Basis[2].Value }
	require.Less(t, peak(expected), peak(high))
	require.GreaterOrEqual(t, peak(expected), expected.Recommendations[0].Basis[0].Value, "never less than now")
}

func TestSizingOfAnExhaustedPool(t *testing.T) {
	_, calm := sizingOf(t, sizedServer{held: 0.04}, query.Sizing{})
	_, full := sizingOf(t, sizedServer{held: 0.08, late: 30}, query.Sizing{})
	require.Greater(t, full[sizing.SizePool].Value, 2*calm[sizing.SizePool].Value-2)
	_, capped := sizingOf(t, sizedServer{held: 0.08, late: 30}, query.Sizing{DatabaseConnections: 40})
	require.Contains(t, capped[sizing.SizeReplicas].Reason, "connections", "five of them are used up at 62 requests/s a replica")
	require.Equal(t, 6.0, capped[sizing.SizePool].Value, "for six replicas")
	require.NotEmpty(t, capped[sizing.SizePool].Constraint)
}

func TestSizingSaysWhatIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		without []string
		unknown []sizing.Sizing
		notice  string
	}{
		"use of processors": {[]string{"jvm_cpu"}, []sizing.Sizing{sizing.SizeReplicas, sizing.SizeShed, sizing.SizeCacheWarm}, "The processor utilization"},
		"replicas":          {[]string{"kube_deployment"}, []sizing.Sizing{sizing.SizeReplicas, sizing.SizeShed, sizing.SizeCacheWarm}, "The number of running replicas"},
		"pool":              {[]string{"connection_count"}, []sizing.Sizing{sizing.SizePool, sizing.SizeCacheWarm}, ""},
		"rate of the pool":  {[]string{"connection_wait_time"}, []sizing.Sizing{sizing.SizePool, sizing.SizeCacheWarm}, ""},
		"latency":           {[]string{"histogram_quantile"}, []sizing.Sizing{sizing.SizeConcurrency, sizing.SizeCacheWarm}, ""},
		"errors":            {[]string{"STATUS_CODE_ERROR"}, []sizing.Sizing{sizing.SizeOutliers, sizing.SizeBreaker, sizing.SizeCacheWarm}, ""},
		"requests": {[]string{"traces_spanmetrics"}, []sizing.Sizing{sizing.SizeReplicas, sizing.SizePool, sizing.SizeConcurrency,
			sizing.SizeOutliers, sizing.SizeBreaker, sizing.SizeCacheWarm, sizing.SizeShed}, "No metric counts the requests"},
	} {
		t.Run(name, func(t *testing.T) {
			got, sizes := sizingOf(t, sizedServer{held: 0.04, without: test.without}, query.Sizing{})
			var unknown []sizing.Sizing
			for kind, one := range sizes {
				if one.Problem != "" {
					unknown = append(unknown, kind)
				}
			}
			require.ElementsMatch(t, test.unknown, unknown)
			require.Contains(t, strings.Join(got.Notices, " "), test.notice)
		})
	}
}

func TestSizingOfAnUnknownService(t *testing.T) {
	e := &engine.Engine{Metrics: sizedServer{without: []string{""}}, Now: time.Now}
	_, err := e.Sizing(t.Context(), query.Sizing{Service: "nobody"}.WithDefaults(), core.Window{To: time.Now()})
	var notFound *core.NotFoundError
	require.ErrorAs(t, err, &notFound)
	_, err = (&engine.Engine{Now: time.Now}).Sizing(t.Context(), query.Sizing{Service: "shop"}.WithDefaults(), core.Window{To: time.Now()})
	require.ErrorIs(t, err, core.ErrNoMetrics)
}
