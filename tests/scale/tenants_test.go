//go:build integration

package scale

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestTenants asks as the tenant who has the metrics of one service and no
// traces, and as nobody's tenant, beside the shop's own.
func TestTenants(t *testing.T) {
	now, sources := deployed(t)
	l, processes := started(t)
	over := func(tenant string) harness.DataSource {
		return harness.DataSource{Plugin: processes[0], Context: harness.PluginContext(map[string]any{
			"prometheus": map[string]any{"url": l.MimirSplit, "tenant": tenant},
			"traces":     map[string]any{"kind": "tempo", "url": l.TempoSplit, "tenant": tenant},
		}, nil)}
	}
	services := func(source harness.DataSource) (found []string) {
		frames, err := source.Ask(t.Context(), now.Add(-5*time.Minute), now, map[string]any{
			"queryType": "anomaly", "format": "alert", "expr": "sum by (service_name) (rate(http_server_request_duration_seconds_count[5m]))",
		})
		require.NoError(t, err)
		for _, frame := range frames {
			for _, field := range frame.Fields {
				if name := field.Labels["service_name"]; name != "" {
					found = append(found, name)
				}
			}
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
	require.Greater(t, len(services(sources[1].replicas[0])), 3)
	require.Equal(t, []string{"web"}, services(over(l.Tenant+"-rival")))
	require.Empty(t, services(over("nobody")))
	for _, tenant := range []string{l.Tenant + "-rival", "nobody"} {
		frames, err := over(tenant).Ask(t.Context(), now.Add(-5*time.Minute), now, map[string]any{
			"queryType": "traceDiff", "service": "orders",
			"baseline": map[string]any{"version": "1.9.4"}, "candidate": map[string]any{"version": "2.0.0"},
		})
		reported := fmt.Sprint(shown(t, frames), err)
		require.NotContains(t, reported, "SELECT", "the shop's statement")
		require.NotContains(t, reported, "regressed")
	}
}
