package ops

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func TestServicesThatAreUnusual(t *testing.T) {
	nothing := math.NaN()
	one := func(service string, values ...float64) series.Series {
		return series.Series{Labels: series.Labels{"service": service}, Step: unusualStep, Values: values}
	}
	known, unusual := countUnusual("service", []series.Series{
		one("steady", 10, 11, 9, 10, 10), one("silent", 10, 11, 9, 10, 0.5), one("gone", 10, 11, 9, 10, nothing), one("failing", 10, 11, 9, 10, 10),
		one("young", nothing, nothing, 9, 10, 10), one("", 10, 11, 9, 10, 0), one("always failing", 10, 10, 10, 10, 10),
	}, []series.Series{
		one("failing", nothing, nothing, nothing, 0.1, 4), one("always failing", 4, 4, 4, 4, 4), one("steady", 0.1, 0.1, 0.1, 0.1, 0.2),
	})
	require.Equal(t, 5, known)
	require.Equal(t, 3, unusual)

	e := Advisor{Sources: core.Sources{Now: func() time.Time { return enginetest.Window.To }, Metrics: enginetest.Metrics{Value: func(promQL string, _ time.Time) []series.Series {
		if !strings.Contains(promQL, "traces_spanmetrics_calls_total") || strings.Contains(promQL, "ERROR") {
			return nil
		}
		return []series.Series{{Labels: series.Labels{"service": "cart"}, Values: []float64{1}}}
	}}}}
	known, unusual = e.unusualServices(t.Context(), enginetest.Window)
	require.Equal(t, []int{1, 0}, []int{known, unusual})
}

func TestUnusualTraffic(t *testing.T) {
	last := core.Window{From: enginetest.Noon.Add(-30 * time.Minute), To: enginetest.Noon}
	with := func(server upstream.Metrics) Advisor {
		sources := core.Sources{Metrics: server, Now: func() time.Time { return enginetest.Noon }, Limits: core.Limits{MaxSeries: 10}}
		return Advisor{Sources: sources, Signals: signals.Finder{Sources: sources}, Evaluator: metrics.Evaluator{Sources: sources}}
	}
	e := with(enginetest.ServiceMetrics{End: enginetest.Noon})
	facts, err := e.unusualTraffic(t.Context(), "shop", last)
	require.NoError(t, err)
	require.Empty(t, facts, "an outage is no spike")
	facts, err = e.unusualTraffic(t.Context(), "nobody", last)
	require.NoError(t, err)
	require.Empty(t, facts)
	e = with(crowd{enginetest.ServiceMetrics{End: enginetest.Noon}})
	facts, err = e.unusualTraffic(t.Context(), "shop", last)
	require.NoError(t, err)
	require.Len(t, facts, 1)
	require.Equal(t, playbook.UnusualTraffic, facts[0].Kind)
	require.Greater(t, facts[0].Strength, 0.75)
	require.WithinDuration(t, last.To, facts[0].At, 2*time.Minute)
}

// crowd is someServer with four times the traffic at the end.
type crowd struct{ enginetest.ServiceMetrics }

func (c crowd) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	set, err := c.ServiceMetrics.QueryRange(ctx, promQL, window)
	for i := range set.Series[0].Values {
		if c.End.Sub(set.Series[0].Time(i)) < 20*time.Minute {
			set.Series[0].Values[i] *= 40 // of a tenth
		}
	}
	return set, err
}

// TestServicesOfOpenTelemetryAreCounted: metrics sent straight to Prometheus have
// the service in their job alone.
func TestServicesOfOpenTelemetryAreCounted(t *testing.T) {
	end := enginetest.Noon
	from := end.Add(-2 * time.Hour)
	var all []enginetest.Scraped
	for _, job := range []string{"shop/cart", "shop/orders", "plain"} {
		all = append(all, enginetest.Scraped{
			Labels: enginetest.Named("http_server_request_duration_seconds_count", "job", job), From: from, To: end, Every: time.Minute, Value: enginetest.Counter(from, 5),
		})
	}
	e := Advisor{Sources: core.Sources{Now: func() time.Time { return end }, Metrics: enginetest.NewPromServer(all...)}}
	known, unusual := e.unusualServices(t.Context(), core.Window{From: end.Add(-time.Hour), To: end})
	require.Equal(t, []int{3, 0}, []int{known, unusual})
}

func TestServiceOfLabels(t *testing.T) {
	for _, test := range []struct {
		queried string
		labels  series.Labels
		want    string
	}{
		{"", series.Labels{"service": "cart", "job": "shop/orders"}, "cart"},
		{"", series.Labels{"job": "shop/cart"}, "cart"},
		{"orders", series.Labels{"job": "shop/cart"}, "cart"},
		{"", series.Labels{"job": "cart"}, "cart"},
		{"orders", series.Labels{"job": "cart"}, "cart"},
		{"orders", series.Labels{"job": "pods", "instance": "a"}, "orders"},
		{"orders", nil, "orders"},
	} {
		h := recordBuilder{query: query.Impact{Service: test.queried}}
		require.Equal(t, test.want, h.serviceOf(test.labels), test)
	}
}
