//go:build integration

package integration

import (
	"math"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// The shop's metrics are found by their names, without a word of configuration.
func TestCompositeOverTheShop(t *testing.T) {
	source, _ := shop(t)
	to := time.Now()
	question := map[string]any{"queryType": "composite", "service": "web"}
	panel, err := source.Ask(t.Context(), to.Add(-6*time.Hour), to, question)
	require.NoError(t, err)
	require.Len(t, panel, 1)
	t.Log(panel[0].Meta.ExecutedQueryString)
	signals := map[string]bool{}
	for _, field := range panel[0].Fields {
		if field.Name == "contribution" {
			signals[field.Labels["signal"]] = true
		}
	}
	require.Contains(t, signals, "http requests per second")
	require.Contains(t, signals, "http share of errors")
	require.Contains(t, signals, "http 95 % latency")
	judged, quiet := 0, 0
	for _, score := range harness.Numbers(panel[0], "score") {
		if !math.IsNaN(score) {
			judged++
			if score < 75 {
				quiet++
			}
		}
	}
	require.Greater(t, judged, 300)
	require.Greater(t, float64(quiet)/float64(judged), 0.95, "a quiet shop is quiet")

	rule, err := source.AskAsRule(t.Context(), to.Add(-30*time.Minute), to, question)
	require.NoError(t, err)
	require.Len(t, rule, 1)
	require.Equal(t, data.FrameTypeNumericWide, rule[0].Meta.Type)
	require.Len(t, rule[0].Fields, 1)
	require.Equal(t, data.Labels{"service_name": "web"}, rule[0].Fields[0].Labels)
}

func TestBreachOverTheShop(t *testing.T) {
	source, _ := shop(t)
	to := time.Now()
	for threshold, want := range map[float64]float64{1e9: 0, 0: 1} {
		rule, err := source.AskAsRule(t.Context(), to.Add(-30*time.Minute), to, map[string]any{
			"queryType": "breach", "expr": requestRate, "threshold": threshold,
		})
		require.NoError(t, err)
		require.Len(t, rule, 1)
		require.Greater(t, len(rule[0].Fields), 3, "a number per service")
		for _, field := range rule[0].Fields {
			probability, ok := field.ConcreteAt(0)
			require.True(t, ok)
			require.InDelta(t, want, probability, 1e-9, "%v", field.Labels)
		}
	}
}
