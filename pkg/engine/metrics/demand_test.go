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

// A service whose requests fall from 1000 a second to 100: with what callers send,
// and without.
func TestCompositeTellsLostFromLessDemand(t *testing.T) {
	const lost, traffic = "share of calls that arrive, of the service graph", "http requests per second"
	witness := func(sent float64) (names map[string]float64) {
		noon := enginetest.Noon
		from, change := noon.Add(-4*24*time.Hour), noon.Add(-25*time.Minute)
		counter := func(after float64, seed float64, name string, labels ...string) enginetest.Scraped {
			sum := 0.0
			return enginetest.Scraped{Labels: enginetest.Named(name, labels...), From: from, To: noon, Every: time.Minute, Value: func(at time.Time) float64 {
				minute := float64(at.Unix() / 60)
				rate := 1000 + 300*math.Sin(2*math.Pi*minute/1440) + 10*math.Sin(seed*minute*minute)
				if at.After(change) {
					rate *= after
				}
				sum += 60 * rate
				return sum
			}}
		}
		e := &engine.Engine{Now: func() time.Time { return noon }, Metrics: enginetest.NewPromServer(
			counter(0.1, 1.7, "http_server_request_duration_seconds_count", "service_name", "orders"),
			counter(sent, 2.9, "traces_service_graph_request_total", "client", "web", "server", "orders"),
		)}
		q := query.Composite{Service: "orders", History: query.Duration(3 * 24 * time.Hour)}.WithDefaults()
		a, err := e.Composite(t.Context(), q, core.Window{From: noon.Add(-2 * time.Hour), To: noon})
		require.NoError(t, err)
		require.Empty(t, a.Problem)
		require.Len(t, a.Result.Events, 1)
		names = map[string]float64{}
		for _, w := range a.Result.Events[0].Signals {
			names[w.Name] = w.Share
		}
		return names
	}
	require.Contains(t, witness(1), lost)
	less := witness(0.1)
	require.NotContains(t, less, lost)
	require.Contains(t, less, traffic)
}
