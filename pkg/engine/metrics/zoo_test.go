package metrics_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/tests/zoo"
)

// oneMetric answers every query with one series, and has the span metrics of the
// service shop.
type oneMetric struct {
	upstream.Metrics
	series.Series
}

func (m oneMetric) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	set := upstream.SeriesSet{}
	if strings.Contains(promQL, "count_over_time(") { // how often it is scraped is unknown
		return set, nil
	}
	one := series.Series{Start: window.Start, Step: window.Step}
	for i := range window.Points() {
		v := math.NaN()
		if at := m.Index(window.Start.Add(time.Duration(i) * window.Step)); at >= 0 && at < m.Len() {
			v = m.Values[at]
		}
		one.Values = append(one.Values, v)
	}
	set.Series = []series.Series{one}
	return set, nil
}

func (oneMetric) LabelValues(context.Context, string, []string, time.Time, time.Time) ([]string, []string, error) {
	return []string{"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"}, nil, nil
}

// pens are a step, a history and a judged part of each shape: a known metric, one
// that began this morning, and one that began minutes ago.
var pens = map[string]struct{ step, history, judged time.Duration }{
	"known": {10 * time.Minute, 8 * 24 * time.Hour, 24 * time.Hour},
	"young": {2 * time.Minute, 3 * time.Hour, 2 * time.Hour},
	"new":   {time.Minute, 10 * time.Minute, 5 * time.Minute},
}

// Whatever a metric looks like, every question about it has numbers for an answer
// or a reason why there are none.
func TestEveryShapeOfMetricHasAnAnswerOrAReason(t *testing.T) {
	shapes := zoo.Shapes()
	require.Greater(t, len(shapes), 30)
	for pen, p := range pens {
		t.Run(pen, func(t *testing.T) {
			for k, shape := range shapes {
				kind := zoo.None
				if n := len(shape.Incidents); p.history > 24*time.Hour && n > 0 && k%2 == 1 {
					kind = shape.Incidents[k%n]
				}
				askAll(t, shape.Name+" "+string(kind), zoo.Draw(shape, kind, p.step, p.history, p.judged, 1).Series)
			}
			for name, values := range degenerate(int((p.history + p.judged) / p.step)) {
				start := time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC).Add(-p.history)
				askAll(t, name, series.Series{Start: start, Step: p.step, Values: values})
			}
		})
	}
}

// degenerate are what no shape of the zoo has.
func degenerate(n int) map[string][]float64 {
	filled := func(value func(i int) float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = value(i)
		}
		return values
	}
	return map[string][]float64{
		"missing":           filled(func(int) float64 { return math.NaN() }),
		"ended":             filled(func(i int) float64 { return or(i < n*9/10, float64(i%7), math.NaN()) }),
		"every third point": filled(func(i int) float64 { return or(i%3 == 0, float64(i%7), math.NaN()) }),
		"zero":              filled(func(int) float64 { return 0 }),
		"infinite":          filled(func(i int) float64 { return or(i%5 == 0, math.Inf(1), 3) }),
		"huge":              filled(func(i int) float64 { return 1e300 * float64(1+i%3) }),
		"tiny":              filled(func(i int) float64 { return 1e-300 * float64(1+i%3) }),
		"one outlier":       filled(func(i int) float64 { return or(i == n/2, 1e12, 1) }),
	}
}

func or(is bool, yes, no float64) float64 {
	if is {
		return yes
	}
	return no
}

func askAll(t *testing.T, name string, metric series.Series) {
	end := metric.Time(metric.Len() - 1)
	e := &engine.Engine{Metrics: oneMetric{Series: metric}, Now: func() time.Time { return end }}
	window := core.Window{From: end.Add(-min(time.Hour, end.Sub(metric.Start)/4)), To: end, Step: metric.Step}
	step, history := query.Duration(metric.Step), query.Duration(8*24*time.Hour)

	judged, err := e.Anomaly(t.Context(), query.Anomaly{Expr: "up", Step: step, History: history}.WithDefaults(), window)
	requireReason(t, name+": anomaly", err, len(judged.Series), func(k int) string { return judged.Series[k].Problem }, func(k int) {
		requireScores(t, name, judged.Series[k].Result)
	})
	threshold := stats.Median(metric.Values)
	if math.IsNaN(threshold) {
		threshold = 1
	}
	warned, err := e.Breach(t.Context(), query.Breach{Expr: "up", Threshold: &threshold, Step: step, History: history}.WithDefaults(), window)
	requireReason(t, name+": breach", err, len(warned.Series), func(k int) string { return warned.Series[k].Problem }, func(k int) {
		for _, p := range warned.Series[k].Result.Probability {
			require.False(t, p < 0 || p > 1 || math.IsInf(p, 0), "%s: breach: probability %v", name, p)
		}
	})
	ahead := query.Forecast{Expr: "up", Step: step, History: history, Model: forecast.Auto}.WithDefaults()
	foretold, err := e.Forecast(t.Context(), ahead, window)
	requireReason(t, name+": forecast", err, len(foretold.Series), func(k int) string { return foretold.Series[k].Problem }, func(k int) {
		f := foretold.Series[k].Forecast
		require.NotEmpty(t, f.Mean, name)
		for i, v := range f.Mean {
			low, high := f.Intervals[0].Lower[i], f.Intervals[0].Upper[i]
			require.True(t, low <= v && v <= high && !math.IsInf(low, 0) && !math.IsInf(high, 0), "%s: forecast %v in [%v, %v]", name, v, low, high)
		}
	})
	whole, err := e.Composite(t.Context(), query.Composite{Service: "shop", Step: step, History: history}.WithDefaults(), window)
	requireReason(t, name+": composite", err, 1, func(int) string { return whole.Problem }, func(int) {
		for _, score := range whole.Result.Score {
			require.False(t, score < 0 || score > 100, "%s: composite: score %v", name, score)
		}
	})
}

// requireReason checks that an answer is an error with words, or has for each series
// a problem with words or what numbers checks.
func requireReason(t *testing.T, name string, err error, n int, problem func(k int) string, numbers func(k int)) {
	if err != nil {
		require.Greater(t, len(err.Error()), 20, name)
		return
	}
	require.Positive(t, n, name)
	for k := range n {
		if said := problem(k); said != "" {
			require.Greater(t, len(said), 20, name)
			continue
		}
		numbers(k)
	}
}

// requireScores checks that every point that was observed is judged, and that its
// band holds what is expected.
func requireScores(t *testing.T, name string, r anomaly.Result) {
	require.NotEmpty(t, r.Score, name)
	for i, v := range r.Actual.Values {
		score := r.Score[i]
		if math.IsNaN(v) {
			require.True(t, math.IsNaN(score), "%s: a missing point has score %v", name, score)
			continue
		}
		require.True(t, score >= 0 && score <= 100, "%s: %v has score %v", name, v, score)
		low, expected, high := r.Lower[i], r.Expected[i], r.Upper[i]
		require.True(t, low <= expected && expected <= high && !math.IsInf(low, 0) && !math.IsInf(high, 0), "%s: %v in [%v, %v]", name, expected, low, high)
	}
}
