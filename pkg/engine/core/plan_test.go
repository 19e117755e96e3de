package core

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// counted is a server with so many series, which it counts; it records the points
// that it is asked for.
type counted struct {
	scraped
	points int
}

func (c *counted) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	if strings.HasPrefix(promQL, "count(") {
		return upstream.SeriesSet{Series: []series.Series{{Values: []float64{float64(c.series)}}}}, nil
	}
	c.lock.Lock()
	c.points += c.series * window.Points()
	c.lock.Unlock()
	return c.scraped.QueryRange(ctx, promQL, window)
}

func TestAQueryOfThousandsOfSeriesIsRefusedBeforeItIsFetched(t *testing.T) {
	const day = 24 * time.Hour
	ask := func(count int, step time.Duration, complete bool) (*counted, error) {
		server := &counted{scraped: scraped{series: count}}
		sources := Sources{Metrics: server, Limits: Limits{MaxSeries: 200}, Now: func() time.Time { return noon }}
		g := NewGrid(Window{From: noon.Add(-time.Hour), To: noon, Complete: complete}, 14*day, step, noon)
		_, err := sources.FilteredHistory(t.Context(), "disk_used_ratio", nil, g, &Provenance{})
		return server, err
	}
	server, err := ask(5000, 0, false)
	require.ErrorContains(t, err, "5000 series of 20221 points each")
	require.ErrorContains(t, err, "select at most 414 series, or set a step of 15m")
	require.Zero(t, server.points)

	// The advice helps.
	server, err = ask(5000, 15*time.Minute, false)
	require.NoError(t, err)
	require.LessOrEqual(t, server.points, maxQueryPoints)
	_, err = ask(414, 0, false)
	require.NoError(t, err)

	server, err = ask(5000, 15*time.Minute, true)
	require.ErrorContains(t, err, "a rule evaluates at most 1000")
	require.Zero(t, server.points)
	_, err = ask(1000, 5*time.Minute, true)
	require.NoError(t, err)
}

func TestAForecastOfManySeriesLearnsFromACoarserHistory(t *testing.T) {
	server := &counted{scraped: scraped{series: 1000}}
	sources := Sources{Metrics: server, Limits: Limits{MaxSeries: 200}, Now: func() time.Time { return noon }}
	window := Window{From: noon.Add(-time.Hour), To: noon}
	basis := Provenance{}
	g := sources.CoarseGrid(t.Context(), "disk_used_ratio", nil, window, 14*24*time.Hour, 0, &basis)
	require.Equal(t, 5*time.Minute, g.Step)
	require.Contains(t, basis.Notices[0], "The step is 5m: 1000 series with a step of 1m")
	_, err := sources.FilteredHistory(t.Context(), "disk_used_ratio", nil, g, &basis)
	require.NoError(t, err)

	server.series = 100
	g = sources.CoarseGrid(t.Context(), "disk_used_ratio", nil, window, 14*24*time.Hour, 0, &basis)
	require.Equal(t, time.Minute, g.Step)
	server.series = 1000
	g = sources.CoarseGrid(t.Context(), "disk_used_ratio", nil, window, 14*24*time.Hour, time.Minute, &basis)
	require.Equal(t, time.Minute, g.Step, "a step that was asked for stays")
}
