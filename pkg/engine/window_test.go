package engine

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

func TestGridFor(t *testing.T) {
	day := Window{From: noon.Add(-24 * time.Hour), To: noon, Step: 90 * time.Second}
	g := gridFor(day, 14*24*time.Hour, 0, noon)
	require.Equal(t, 2*time.Minute, g.step, "the next step of the ladder")
	require.Equal(t, noon, g.to)
	require.Equal(t, noon.Add(-24*time.Hour), g.from)
	require.Equal(t, noon.Add(-15*24*time.Hour), g.start)

	g = gridFor(day, 14*24*time.Hour, 0, noon.Add(-time.Hour))
	require.Equal(t, noon.Add(-time.Hour), g.to, "no point lies in the future")

	g = gridFor(day, 90*24*time.Hour, 0, noon)
	require.LessOrEqual(t, g.points(), maxPoints+60, "a long history widens the step")
}

func TestHistoryQueryStaysWhileTheWindowMoves(t *testing.T) {
	first := gridFor(Window{From: noon.Add(5 * time.Minute), To: noon.Add(35 * time.Minute)}, time.Hour, 0, noon.Add(time.Hour))
	later := gridFor(Window{From: noon.Add(9 * time.Minute), To: noon.Add(39 * time.Minute)}, time.Hour, 0, noon.Add(time.Hour))
	require.Equal(t, first.parts()[0], later.parts()[0])
}

func TestGridProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := noon.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "from")))
		window := Window{
			From: from,
			To:   from.Add(time.Duration(rapid.Int64Range(0, int64(60*24*time.Hour)).Draw(t, "length"))),
			Step: time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "step")),
		}
		history := time.Duration(rapid.Int64Range(0, int64(90*24*time.Hour)).Draw(t, "history"))
		wished := time.Duration(rapid.IntRange(0, 4000).Draw(t, "wished")) * time.Second
		g := gridFor(window, history, wished, noon)
		for _, instant := range []time.Time{g.start, g.anchor, g.from, g.to} {
			require.Zero(t, instant.UnixNano()%int64(g.step), "on the grid")
		}
		require.False(t, g.to.After(noon))
		require.False(t, g.to.Before(g.from))
		require.False(t, g.from.Before(g.anchor))
		require.False(t, g.anchor.Before(g.start))

		covered := 0
		for _, part := range g.parts() {
			covered += int(part.End.Sub(part.Start)/g.step) + 1
		}
		require.Equal(t, g.points(), covered, "the parts cover the grid, once")
	})
}

func TestFillIntervals(t *testing.T) {
	require.Equal(t, "rate(a[120s]) + rate(b[135s]) + rate(c[135s])",
		fillIntervals("rate(a[$__interval]) + rate(b[$__rate_interval]) + rate(c[${__rate_interval}])", 2*time.Minute))
	require.Equal(t, "rate(a[75s])", fillIntervals("rate(a[$__rate_interval])", time.Minute), "four scrapes at least")
	require.Equal(t, "rate(a[60s])", fillIntervals("rate(a[$__rate_interval])", 30*time.Second), "four scrapes at least")
}

func TestSettledWindows(t *testing.T) {
	now := noon.Add(3 * time.Second)
	e := &Engine{Now: func() time.Time { return now }}
	panel, err := e.settled(Window{From: now.Add(-time.Hour), To: now.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, Window{From: noon.Add(-time.Hour), To: noon.Add(-5 * time.Second)}, panel)

	now = now.Add(time.Second)
	next, err := e.settled(Window{From: now.Add(-time.Hour), To: now.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, panel, next, "a panel that loads a little later asks for the same traces")

	_, err = e.settled(Window{From: now.Add(-3 * time.Second), To: now})
	require.ErrorContains(t, err, "no finished traces yet")
}

// A point has one score, whatever the panel's width and the window it is asked
// in.
func TestAPointHasOneScore(t *testing.T) {
	e, window := someEngine()
	ask := func(w Window) series.Series {
		found, err := e.Anomaly(context.Background(), query.Anomaly{Expr: "up"}.WithDefaults(), w)
		require.NoError(t, err)
		require.Empty(t, found.Series[0].Problem)
		r := found.Series[0].Result
		return series.Series{Start: r.Actual.Start, Step: r.Actual.Step, Values: r.Score}
	}
	narrow := ask(window)
	for _, other := range []Window{
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
	e := &Engine{Metrics: someServer{end: noon}, Now: func() time.Time { return noon }}
	window := Window{From: noon.Add(-time.Hour), To: noon, Step: time.Minute}
	for step, told := range map[time.Duration]bool{15 * time.Second: true, time.Minute: false, 0: false} {
		q := query.Anomaly{Expr: "up", History: query.Duration(14 * 24 * time.Hour), Step: query.Duration(step), Threshold: 75, Probability: 0.99}
		found, err := e.Anomaly(t.Context(), q, window)
		require.NoError(t, err)
		require.Equal(t, "1m0s", found.Parameters["step"])
		notice := "The step is 1m0s: one of 15s would take more than 30000 points of history and range. Ask for less history or a shorter range."
		require.Equal(t, told, slices.Contains(found.Notices, notice), found.Notices)
	}
}

// What lies just before a window is judged by the model of its own day, which
// needs as much history as in a window that begins there.
func TestReachBeforeMidnight(t *testing.T) {
	midnight := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	start := func(from time.Time, reach time.Duration) time.Time {
		return judgingGrid(Window{From: from, To: midnight.Add(time.Hour)}, 14*24*time.Hour, 0, reach, midnight.Add(time.Hour)).start
	}
	require.Equal(t, start(midnight.Add(-3*time.Minute), 0), start(midnight.Add(2*time.Minute), 5*time.Minute))
	require.NotEqual(t, start(midnight.Add(-3*time.Minute), 0), start(midnight.Add(6*time.Minute), 5*time.Minute))
}
