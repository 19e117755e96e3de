package metrics_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// A point has one score, whatever the panel's width and the window it is asked
// in.
func TestAPointHasOneScore(t *testing.T) {
	e, window := someEngine()
	ask := func(w core.Window) series.Series {
		found, err := e.Anomaly(context.Background(), query.Anomaly{Expr: "up"}.WithDefaults(), w)
		require.NoError(t, err)
		require.Empty(t, found.Series[0].Problem)
		r := found.Series[0].Result
		return series.Series{Start: r.Actual.Start, Step: r.Actual.Step, Values: r.Score}
	}
	narrow := ask(window)
	for _, other := range []core.Window{
		{From: window.From, To: window.To, Step: 10 * time.Minute},
		{From: window.From.Add(-17 * time.Hour), To: window.To, Step: time.Minute},
		{From: window.To.Add(-13 * time.Minute), To: window.To, Step: time.Second},
	} {
		scores := ask(other)
		require.Equal(t, narrow.Step, scores.Step)
		n := min(scores.Len(), narrow.Len())
		require.Equal(t, narrow.Values[narrow.Len()-n:], scores.Values[scores.Len()-n:])
	}
}

func TestAStepThatIsTooFineIsWidenedAndSaidToBe(t *testing.T) {
	e := &engine.Engine{Metrics: enginetest.ServiceMetrics{End: enginetest.Noon}, Now: func() time.Time { return enginetest.Noon }}
	window := core.Window{From: enginetest.Noon.Add(-time.Hour), To: enginetest.Noon, Step: time.Minute}
	for step, reported := range map[time.Duration]bool{15 * time.Second: true, time.Minute: false, 0: false} {
		q := query.Anomaly{Expr: "up", History: query.Duration(14 * 24 * time.Hour), Step: query.Duration(step), Threshold: 75, Probability: 0.99}
		found, err := e.Anomaly(t.Context(), q, window)
		require.NoError(t, err)
		require.Equal(t, "1m0s", found.Parameters["step"])
		notice := "The step is 1m0s: one of 15s would take more than 30000 points of history and range. Ask for less history or a shorter range."
		require.Equal(t, reported, slices.Contains(found.Notices, notice), found.Notices)
	}
}
