package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestGridFor(t *testing.T) {
	day := Window{From: noon.Add(-24 * time.Hour), To: noon, Step: 90 * time.Second}
	g := NewGrid(day, 14*24*time.Hour, 0, noon)
	require.Equal(t, 2*time.Minute, g.Step, "the next step of the ladder")
	require.Equal(t, noon, g.To)
	require.Equal(t, noon.Add(-24*time.Hour), g.From)
	require.Equal(t, noon.Add(-15*24*time.Hour), g.Start)

	g = NewGrid(day, 14*24*time.Hour, 0, noon.Add(-time.Hour))
	require.Equal(t, noon.Add(-time.Hour), g.To, "no point lies in the future")

	slow := day
	slow.Scrape = 5 * time.Minute
	require.Equal(t, 5*time.Minute, NewGrid(slow, time.Hour, 0, noon).Step, "a finer step would repeat samples")
	require.Equal(t, time.Minute, NewGrid(slow, time.Hour, time.Minute, noon).Step, "a chosen step stays")

	g = NewGrid(day, 90*24*time.Hour, 0, noon)
	require.LessOrEqual(t, g.points(), maxPoints+60, "a long history widens the step")
}

func TestHistoryQueryStaysWhileTheWindowMoves(t *testing.T) {
	first := NewGrid(Window{From: noon.Add(5 * time.Minute), To: noon.Add(35 * time.Minute)}, time.Hour, 0, noon.Add(time.Hour))
	later := NewGrid(Window{From: noon.Add(9 * time.Minute), To: noon.Add(39 * time.Minute)}, time.Hour, 0, noon.Add(time.Hour))
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
		wanted := time.Duration(rapid.IntRange(0, 4000).Draw(t, "wished")) * time.Second
		g := NewGrid(window, history, wanted, noon)
		for _, instant := range []time.Time{g.Start, g.anchor, g.From, g.To} {
			require.Zero(t, instant.UnixNano()%int64(g.Step), "on the grid")
		}
		require.False(t, g.To.After(noon))
		require.False(t, g.To.Before(g.From))
		require.False(t, g.From.Before(g.anchor))
		require.False(t, g.anchor.Before(g.Start))

		covered := 0
		for _, part := range g.parts() {
			covered += int(part.End.Sub(part.Start)/g.Step) + 1
		}
		require.Equal(t, g.points(), covered, "the parts cover the grid, once")
	})
}

// What lies just before a window is judged by the model of its own day, which
// needs as much history as in a window that begins there.
func TestReachBeforeMidnight(t *testing.T) {
	midnight := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	start := func(from time.Time, reach time.Duration) time.Time {
		return ScoringGrid(Window{From: from, To: midnight.Add(time.Hour)}, 14*24*time.Hour, 0, reach, midnight.Add(time.Hour)).Start
	}
	require.Equal(t, start(midnight.Add(-3*time.Minute), 0), start(midnight.Add(2*time.Minute), 5*time.Minute))
	require.NotEqual(t, start(midnight.Add(-3*time.Minute), 0), start(midnight.Add(6*time.Minute), 5*time.Minute))
}
