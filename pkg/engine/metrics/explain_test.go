package metrics_test

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
	"github.com/foresight-observability/foresight/pkg/series"
)

// shopCounts answers what explain asks of a shop with three routes on two pods. In
// the last twenty minutes /pay fails, is slow, and is asked more often.
func shopCounts(since time.Time) enginetest.Metrics {
	type one struct {
		route, pod string
		rate       float64
	}
	all := []one{{"/pay", "a", 50}, {"/pay", "b", 50}, {"/list", "a", 200}, {"/list", "b", 200}, {"/cart", "a", 100}, {"/cart", "b", 100}}
	bounds := []string{"0.1", "0.5", "1", "+Inf"}
	return enginetest.Metrics{Value: func(promQL string, at time.Time) (found []series.Series) {
		if strings.HasPrefix(promQL, "topk") {
			for _, o := range all {
				found = append(found, series.Series{Labels: series.Labels{"__name__": "x", "route": o.route, "pod": o.pod, "le": "1"}, Values: []float64{1}})
			}
			return found
		}
		sums := map[string]float64{}
		labels := map[string]series.Labels{}
		add := func(o one, le string, value float64) {
			l := series.Labels{}
			for name, held := range map[string]string{"route": o.route, "pod": o.pod, "le": le} {
				if by := strings.Index(promQL, "by ("); by >= 0 && strings.Contains(promQL[by:by+strings.Index(promQL[by:], ")")], name) {
					l[name] = held
				}
			}
			sums[l.String()] += value
			labels[l.String()] = l
		}
		for _, o := range all {
			bad := at.After(since) && o.route == "/pay"
			rate := o.rate * (1 + 0.01*math.Sin(float64(at.Unix()/60)))
			if bad {
				rate *= 2
			}
			switch {
			case strings.Contains(promQL, "_bucket"):
				shares := []float64{0.9, 0.99, 1, 1}
				if bad {
					shares = []float64{0.1, 0.3, 0.9, 1}
				}
				for i, le := range bounds {
					add(o, le, rate*shares[i])
				}
			case strings.Contains(promQL, "5.."):
				share := 0.01
				if bad {
					share = 0.4
				}
				add(o, "", rate*share)
			default:
				add(o, "", rate)
			}
		}
		for key, value := range sums {
			found = append(found, series.Series{Labels: labels[key], Values: []float64{value}})
		}
		sortSeries(found)
		return found
	}}
}

func sortSeries(found []series.Series) {
	for i := range found {
		for j := i; j > 0 && found[j].Labels.String() < found[j-1].Labels.String(); j-- {
			found[j], found[j-1] = found[j-1], found[j]
		}
	}
}

func TestExplain(t *testing.T) {
	window := core.Window{From: enginetest.Noon.Add(-time.Hour), To: enginetest.Noon}
	since := enginetest.Noon.Add(-20 * time.Minute)
	e := &engine.Engine{Metrics: shopCounts(since), Now: func() time.Time { return enginetest.Noon }}
	explain := func(expr string, change func(*query.Explain)) engine.ExplainAnswer {
		q := query.Explain{Expr: expr}.WithDefaults()
		if change != nil {
			change(&q)
		}
		require.NoError(t, q.Validate())
		found, err := e.Explain(t.Context(), q, window)
		require.NoError(t, err, expr)
		return found
	}

	sums := explain("sum(rate(http_requests_total[5m]))", nil)
	require.WithinDuration(t, since, sums.Since, 2*time.Minute)
	require.Equal(t, "route", sums.Splits[0].Label)
	require.Equal(t, "/pay", sums.Splits[0].Parts[0].Name)
	require.InDelta(t, 1, sums.Splits[0].Parts[0].Share, 0.05)
	require.InDelta(t, 1.0/7, sums.Splits[0].Parts[0].Usual, 0.01)
	require.Equal(t, "pod", sums.Splits[1].Label)
	require.Less(t, sums.Splits[1].Score, 0.1, "both pods alike")

	ratio := explain(`100 * sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))`, nil)
	require.True(t, ratio.Ratio)
	require.InDelta(t, 100, ratio.Scale, 1e-9)
	require.Equal(t, "/pay", ratio.Splits[0].Parts[0].Name)
	require.Greater(t, ratio.Splits[0].Parts[0].Share, 0.95)
	require.Greater(t, ratio.Splits[0].Parts[0].Own, ratio.Splits[0].Parts[0].Mix)
	total := 0.0
	for _, p := range ratio.Splits[0].Parts {
		total += p.Change
	}
	require.InDelta(t, ratio.Splits[0].Change(), total, 1e-9, "the parts are exact")

	histogram := explain("histogram_quantile(0.95, sum by (le) (rate(http_seconds_bucket[5m])))", func(q *query.Explain) { q.Since = "-20m" })
	require.True(t, histogram.Histogram)
	require.InDelta(t, 0.3, histogram.Limit, 0.1)
	require.Equal(t, "/pay", histogram.Splits[0].Parts[0].Name)
	require.Greater(t, histogram.Splits[0].Parts[0].Share, 0.95)

	chosen := explain("sum(rate(http_requests_total[5m]))", func(q *query.Explain) { q.Labels = []string{"pod"} })
	require.Len(t, chosen.Splits, 1)
	require.Equal(t, "pod", chosen.Splits[0].Label)

	for expr, message := range map[string]string{
		"max(rate(http_requests_total[5m]))":        "max has no exact parts",
		"sum(a) + sum(b)":                           "cannot be split exactly",
		"histogram_quantile(0.9, sum(rate(x[5m])))": "native histograms",
		"42":              "cannot be split by labels",
		"sum(rate(x[5m])": "expr:",
	} {
		_, err := e.Explain(t.Context(), query.Explain{Expr: expr}.WithDefaults(), window)
		require.ErrorContains(t, err, message, expr)
	}
	_, err := (&engine.Engine{Now: e.Now}).Explain(t.Context(), query.Explain{Expr: "sum(x)"}.WithDefaults(), window)
	require.ErrorContains(t, err, "no metrics server")

	quiet := &engine.Engine{Metrics: shopCounts(enginetest.Noon.Add(time.Hour)), Now: e.Now}
	nothing, err := quiet.Explain(t.Context(), query.Explain{Expr: "sum(rate(http_requests_total[5m]))", Since: "-20m"}.WithDefaults(), window)
	require.NoError(t, err)
	require.InDelta(t, 0, nothing.Splits[0].Score, 0.3)
}
