package metrics_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
)

// TestEveryScrapeInterval: what is scraped rarely has values, no step finer than
// its scrapes, and windows that hold several of them, in every question about
// metrics, without a word of it in the settings.
func TestEveryScrapeInterval(t *testing.T) {
	end := enginetest.Noon
	for every, step := range map[time.Duration]string{15 * time.Second: "1m0s", time.Minute: "1m0s", 2 * time.Minute: "2m0s", 5 * time.Minute: "5m0s", 10 * time.Minute: "5m0s", 30 * time.Minute: "5m0s"} {
		from := end.Add(-26 * time.Hour)
		server := enginetest.NewPromServer(enginetest.Scraped{
			Labels: enginetest.Named("http_server_request_duration_seconds_count", "service_name", "shop"),
			From:   from.Add(7 * time.Second), To: end, Every: every, Value: enginetest.Counter(from, 10),
		})
		e := &engine.Engine{Metrics: server, Now: func() time.Time { return end }}
		window := core.Window{From: end.Add(-time.Hour), To: end}
		day := query.Duration(24 * time.Hour)

		for _, expr := range []string{"sum(rate(http_server_request_duration_seconds_count[$__rate_interval]))", "rate(http_server_request_duration_seconds_count[${__rate_interval}])"} {
			forecast, err := e.Forecast(t.Context(), query.Forecast{Expr: expr, History: day}.WithDefaults(), window)
			require.NoError(t, err)
			require.Len(t, forecast.Series, 1, every)
			require.Empty(t, forecast.Series[0].Problem)
			require.InDelta(t, 10, forecast.Series[0].Forecast.Mean[0], 0.5, every)
			require.Equal(t, step, forecast.Parameters["step"], every)
		}
		anomaly, err := e.Anomaly(t.Context(), query.Anomaly{Expr: "rate(http_server_request_duration_seconds_count[$__rate_interval])", History: day}.WithDefaults(), window)
		require.NoError(t, err)
		require.Len(t, anomaly.Series, 1, every)
		require.Equal(t, anomaly.Series[0].Result.Actual.Len(), anomaly.Series[0].Result.Actual.Observed(), "no gaps at %s", every)
		require.Equal(t, step, anomaly.Parameters["step"], every)

		composite, err := e.Composite(t.Context(), query.Composite{Service: "shop", History: day}.WithDefaults(), window)
		require.NoError(t, err)
		require.Empty(t, composite.Problem, every)
		require.Equal(t, step, composite.Parameters["step"], every)
		require.False(t, math.IsNaN(composite.Result.CurrentScore()), every)

		signal, err := e.Signal(t.Context(), "shop", "traffic", window)
		require.NoError(t, err)
		recent, err := e.Recent(t.Context(), signal.Expr, window)
		require.NoError(t, err)
		require.Len(t, recent.Series, 1, every)
		require.Equal(t, recent.Series[0].Len(), recent.Series[0].Observed(), "no gaps at %s", every)

		sizing, err := e.Sizing(t.Context(), query.Sizing{Service: "shop", History: day}.WithDefaults(), window)
		require.NoError(t, err)
		for _, notice := range sizing.Notices {
			require.NotContains(t, notice, "no sample", every)
		}
	}
}

// TestScrapeIntervalOfTheSettings: where it is given, nothing is looked up.
func TestScrapeIntervalOfTheSettings(t *testing.T) {
	end := enginetest.Noon
	from := end.Add(-26 * time.Hour)
	server := enginetest.NewPromServer(enginetest.Scraped{
		Labels: enginetest.Named("x_total"), From: from, To: end, Every: 15 * time.Second, Value: enginetest.Counter(from, 10),
	})
	e := &engine.Engine{Metrics: server, Scrape: 2 * time.Minute, Now: func() time.Time { return end }}
	a, err := e.Anomaly(t.Context(), query.Anomaly{Expr: "rate(x_total[$__rate_interval])", History: query.Duration(time.Hour)}.WithDefaults(), core.Window{From: end.Add(-time.Hour), To: end})
	require.NoError(t, err)
	require.Equal(t, "2m0s", a.Parameters["step"])
	for _, queried := range server.Queries {
		require.Equal(t, "rate(x_total[480s])", queried)
	}
}
