//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/tests/harness"
)

// shippedContactPoints are the names of those beside the rules: Grafana does not
// start where a rule names another.
func shippedContactPoints(t *testing.T) (names []string) {
	t.Helper()
	root, err := harness.Root()
	require.NoError(t, err)
	raw, err := os.ReadFile(filepath.Join(root, "provisioning", "alerting", "contact-point.yaml"))
	require.NoError(t, err)
	require.NotContains(t, string(raw), "$", "it loads without a variable")
	var file struct {
		ContactPoints []struct {
			Name      string
			Receivers []struct{ UID, Type string }
		} `yaml:"contactPoints"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	for _, point := range file.ContactPoints {
		require.NotEmpty(t, point.Receivers)
		names = append(names, point.Name)
	}
	return names
}

// TestWarningsAreToldAtOnce: what is foretold, and a bad deploy, is not worth
// much after the five minutes that notification policies wait by default.
func TestWarningsAreToldAtOnce(t *testing.T) {
	points := shippedContactPoints(t)
	early := 0
	for _, r := range shippedRules(t) {
		if s := r.NotificationSettings; s != nil {
			require.Contains(t, points, s.Receiver, r.UID)
			require.Subset(t, s.GroupBy, []string{"grafana_folder", "alertname"}, "Grafana demands both")
			var waits []time.Duration
			for _, text := range []string{s.GroupWait, s.GroupInterval, s.RepeatInterval} {
				wait, err := model.ParseDuration(text)
				require.NoError(t, err, r.UID)
				waits = append(waits, time.Duration(wait))
			}
			require.True(t, slices.IsSorted(waits), "%s: %v", r.UID, waits)
			require.LessOrEqual(t, waits[1], time.Minute)
		}
		if kind := r.Data[0].Model["queryType"]; r.UID != "foresight-telemetry-gap" && (kind == string(query.TypeBreach) || kind == string(query.TypeTraceDiff)) {
			require.NotNil(t, r.NotificationSettings, r.UID)
			early++
		}
	}
	require.GreaterOrEqual(t, early, 3)
}

// TestAlertsDoNotFlap: an alert resolves at another value than it fires at, on
// the safe side, and only after a while.
func TestAlertsDoNotFlap(t *testing.T) {
	for _, r := range shippedRules(t) {
		if r.Record != nil {
			continue
		}
		t.Run(r.UID, func(t *testing.T) {
			condition := r.Data[len(r.Data)-1].Model["conditions"].([]any)[0].(map[string]any)
			limit := func(name, kind string) float64 {
				evaluator, ok := condition[name].(map[string]any)
				require.True(t, ok, "%s is missing", name)
				require.Equal(t, kind, evaluator["type"], "Grafana takes only the opposite to unload")
				value, ok := asNumber(evaluator["params"].([]any)[0])
				require.True(t, ok)
				return value
			}
			require.Greater(t, limit("evaluator", "gt"), limit("unloadEvaluator", "lt"))
			held, err := model.ParseDuration(r.KeepFiringFor)
			require.NoError(t, err)
			require.GreaterOrEqual(t, time.Duration(held), 5*time.Minute)
		})
	}
}

func asNumber(value any) (float64, bool) {
	switch v := value.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
