package ops

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

var midday = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestWarningsAreReadOffTheRecordedProbability(t *testing.T) {
	h := &recordBuilder{record: impact.Record{}}
	values := []float64{0.9, 0.2, 0.7, 0.8, 0.1, 0.9, math.NaN(), 0.1, 0.6}
	one := series.Series{Labels: series.Labels{"service": "cart", "horizon": "2m"}, Start: midday, Step: time.Minute, Values: values}
	h.warnings([]series.Series{one, {Labels: series.Labels{"horizon": "2m"}, Values: values}, {Labels: series.Labels{"service": "cart"}, Values: values}})
	var at []int
	for _, w := range h.record.Warnings {
		at = append(at, int(w.At.Sub(midday).Minutes()))
	}
	require.Equal(t, []int{2, 5, 8}, at)
	require.Equal(t, 0.7, h.record.Warnings[0].Probability)
}

func TestCanariesThatFailed(t *testing.T) {
	h := &recordBuilder{}
	status := series.Series{Labels: series.Labels{"namespace": "shop", "name": "cart"}, Start: midday, Step: time.Minute, Values: []float64{2, 0, 0, 2, 2, 0, math.NaN(), 2, 0, 2}}
	fails := []series.Series{{Labels: series.Labels{"namespace": "shop", "name": "cart"}, Start: midday, Step: time.Minute, Values: []float64{math.NaN(), math.NaN(), 1}}}
	h.rollouts(nil, []series.Series{status}, fails, []series.Series{{}})
	require.True(t, h.record.RollbacksKnown)
	require.Len(t, h.record.Rollbacks, 2)
	require.True(t, h.record.Rollbacks[0].ByFail)
	require.Equal(t, midday.Add(3*time.Minute), h.record.Rollbacks[0].At)
	require.False(t, failed(fails, "other", midday.Add(3*time.Minute)))
	require.False(t, failed(fails, "cart", midday.Add(time.Hour)))
}

// TestImpactAsksValidPromQL has Prometheus' own parser read every expression.
func TestImpactAsksValidPromQL(t *testing.T) {
	h := &recordBuilder{query: query.Impact{Objective: "harm > bool 0", Alerts: `Cart\.".*`, Demand: "load", Replicas: "replicas", PerReplica: 1}}
	reader := parser.NewParser(parser.Options{})
	for _, promQL := range h.expressions() {
		_, err := reader.ParseExpr(promQL)
		require.NoError(t, err, promQL)
	}
	for _, m := range unusualMetrics {
		for _, selector := range []string{m.requests, m.failed} {
			_, err := reader.ParseExpr("sum by (" + m.label + ") (rate(" + selector + "[5m]))")
			require.NoError(t, err, selector)
		}
	}
}
