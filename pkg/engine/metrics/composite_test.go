package metrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
)

func someEngine() (*engine.Engine, core.Window) {
	end := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	return &engine.Engine{Metrics: enginetest.ServiceMetrics{End: end}, Now: func() time.Time { return end }}, core.Window{From: end.Add(-6 * time.Hour), To: end, Step: time.Minute}
}

func TestCompositeFindsTheSignalsAndTheOutage(t *testing.T) {
	e, window := someEngine()
	a, err := e.Composite(t.Context(), query.Composite{Service: "shop"}.WithDefaults(), window)
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
	e, window := someEngine()
	ask := func(from time.Time) anomaly.CompositeResult {
		a, err := e.Composite(t.Context(), query.Composite{Service: "shop"}.WithDefaults(), core.Window{From: from, To: window.To})
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
	e, window := someEngine()
	_, err := e.Composite(t.Context(), query.Composite{Service: "other"}.WithDefaults(), window)
	var notFound *core.NotFoundError
	require.ErrorAs(t, err, &notFound)
	require.Contains(t, err.Error(), "span metrics")
}

func TestBreachWarnsOfTheCreep(t *testing.T) {
	e, window := someEngine()
	q := query.Breach{Expr: "histogram_quantile(0.95, ...)", Threshold: new(0.8)}.WithDefaults()
	a, err := e.Breach(t.Context(), q, window)
	require.NoError(t, err)
	require.Len(t, a.Series, 1)
	result := a.Series[0].Result
	last := len(result.Probability) - 1
	require.Greater(t, result.Probability[last], 0.8)
	require.Less(t, result.Probability[last-60], 0.2)
	// 0.6 now, 0.01 a minute: twenty minutes to go.
	require.WithinDuration(t, window.To.Add(20*time.Minute), result.Median, 8*time.Minute)
}
