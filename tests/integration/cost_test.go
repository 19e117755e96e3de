//go:build integration

package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestCostIsShown: an answer says what it asked of the server, and that it
// asked nothing where it remembered.
func TestCostIsShown(t *testing.T) {
	source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(map[string]any{
		"prometheus": map[string]any{"url": server(t, steadyService)},
	}, nil)}
	to := time.Now().Truncate(time.Hour)
	stats := func() map[string]float64 {
		frames, err := source.Ask(t.Context(), to.Add(-time.Hour), to, map[string]any{"queryType": "anomaly", "expr": "up", "history": "7d"})
		require.NoError(t, err)
		found := map[string]float64{}
		for _, stat := range frames[0].Meta.Stats {
			found[stat.DisplayName] = stat.Value
		}
		return found
	}
	first := stats()
	require.Positive(t, first["Requests to upstreams"])
	require.Equal(t, first["Requests to upstreams"], first["Prometheus: requests"])
	require.GreaterOrEqual(t, first["Prometheus: samples"], 7*24*12.0, "a week at five minutes")
	require.Greater(t, first["Prometheus: answers"], first["Prometheus: samples"], "bytes")
	require.Equal(t, map[string]float64{"Requests to upstreams": 0}, stats(), "from memory")
}
