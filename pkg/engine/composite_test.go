package engine

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// someServer has the span metrics of one service: a daily rhythm with an outage
// of traffic, and a creeping latency, at the end.
type someServer struct {
	upstream.Metrics
	end time.Time
}

func (s someServer) LabelValues(_ context.Context, _ string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	if strings.Contains(selectors[0], `service="shop"`) {
		return []string{"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"}, nil, nil
	}
	return nil, nil, nil
}

func (s someServer) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	one := series.Series{Start: window.Start, Step: window.Step}
	for at := window.Start; !at.After(window.End); at = at.Add(window.Step) {
		minute := float64(at.Unix() / 60)
		noise := math.Sin(minute*1.7) + math.Sin(minute*2.9+math.Sin(minute))
		left := s.end.Sub(at)
		switch {
		case strings.Contains(promQL, "STATUS_CODE_ERROR"):
			one.Values = append(one.Values, 0.01+0.001*noise)
		case strings.Contains(promQL, "histogram_quantile"):
			value := 0.2 + 0.005*noise
			if left < 40*time.Minute {
				value += 0.01 * (40 - left.Minutes())
			}
			one.Values = append(one.Values, value)
		default:
			value := 100 + 30*math.Sin(2*math.Pi*minute/1440) + 2*noise
			if left < 20*time.Minute {
				value /= 10
			}
			one.Values = append(one.Values, value)
		}
	}
	return upstream.SeriesSet{Series: []series.Series{one}}, nil
}

func someEngine() (*Engine, Window) {
	end := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	return &Engine{Metrics: someServer{end: end}, Now: func() time.Time { return end }}, Window{From: end.Add(-6 * time.Hour), To: end, Step: time.Minute}
}

func TestCompositeFindsTheSignalsAndTheOutage(t *testing.T) {
	engine, window := someEngine()
	a, err := engine.Composite(t.Context(), query.Composite{Service: "shop"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Empty(t, a.Problem)
	var names []string
	for _, signal := range a.Result.Signals {
		names = append(names, signal.Name)
	}
	require.Equal(t, []string{"spans requests per second", "spans share of errors", "spans 95 % latency"}, names)
	require.Len(t, a.Queries, 3)
	require.Len(t, a.Result.Events, 1)
	require.WithinDuration(t, window.To.Add(-35*time.Minute), a.Result.Events[0].Start, 10*time.Minute)
}

// A point has one score in every window, also in one that begins during an
// incident or just after midnight.
func TestCompositeIsTheSameInEveryWindow(t *testing.T) {
	engine, window := someEngine()
	ask := func(from time.Time) anomaly.CompositeResult {
		a, err := engine.Composite(t.Context(), query.Composite{Service: "shop"}.WithDefaults(), Window{From: from, To: window.To})
		require.NoError(t, err)
		return a.Result
	}
	midnight := window.To.Truncate(24 * time.Hour)
	whole := ask(midnight.Add(-time.Hour))
	for _, from := range []time.Time{midnight, midnight.Add(2 * time.Minute), window.To.Add(-33 * time.Minute), window.To.Add(-time.Minute)} {
		part := ask(from)
		offset := len(whole.Score) - len(part.Score)
		require.Equal(t, whole.Score[offset:], part.Score, from)
		for k, signal := range part.Signals {
			require.Equal(t, whole.Signals[k].Share[offset:], signal.Share, signal.Name)
		}
	}
}

func TestCompositeOfAnUnknownServiceSaysWhatWasLookedFor(t *testing.T) {
	engine, window := someEngine()
	_, err := engine.Composite(t.Context(), query.Composite{Service: "other"}.WithDefaults(), window)
	var notFound *NotFoundError
	require.ErrorAs(t, err, &notFound)
	require.Contains(t, err.Error(), "span metrics")
}

func TestBreachWarnsOfTheCreep(t *testing.T) {
	engine, window := someEngine()
	q := query.Breach{Expr: "histogram_quantile(0.95, ...)", Threshold: new(0.8)}.WithDefaults()
	a, err := engine.Breach(t.Context(), q, window)
	require.NoError(t, err)
	require.Len(t, a.Series, 1)
	result := a.Series[0].Result
	last := len(result.Probability) - 1
	require.Greater(t, result.Probability[last], 0.8)
	require.Less(t, result.Probability[last-60], 0.2)
	// 0.6 now, 0.01 a minute: twenty minutes to go.
	require.WithinDuration(t, window.To.Add(20*time.Minute), result.Median, 8*time.Minute)
}

// newborn has samples of the metric "new" from a time on.
type newborn struct {
	someServer
	from time.Time
}

func (n newborn) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	set, err := n.someServer.QueryRange(ctx, promQL, window)
	if !strings.HasPrefix(promQL, "new{") || err != nil {
		return set, err
	}
	one := &set.Series[0]
	for i := range one.Values {
		if one.Time(i).Before(n.from) {
			one.Values[i] = math.NaN()
		}
	}
	if one.Observed() == 0 {
		return upstream.SeriesSet{}, nil
	}
	return set, nil
}
