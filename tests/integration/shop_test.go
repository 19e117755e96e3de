//go:build integration

package integration

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

const requestRate = `sum by (service_name) (rate(http_server_request_duration_seconds_count[5m]))`

func TestHealthOverTheShop(t *testing.T) {
	source, _ := shop(t)
	eventually(t, time.Minute, "healthy, with all that the lab has switched on", func() error {
		health, err := source.Plugin.Health(t.Context(), source.Context)
		require.NoError(t, err)
		whole := health.Status == backend.HealthStatusOk
		for _, part := range []string{"Prometheus 3", "Tempo", "span metrics found", "TraceQL metrics found", "newest trace"} {
			whole = whole && strings.Contains(health.Message, part)
		}
		return unless(whole, "%s", health.Message)
	})
}

func TestNamesOverTheShop(t *testing.T) {
	source, _ := shop(t)
	eventually(t, time.Minute, "the shop's services, operations and versions", func() error {
		to := time.Now()
		from := to.Add(-10 * time.Minute)
		for _, question := range []struct {
			model map[string]any
			want  string
		}{
			{map[string]any{"queryType": "services"}, "orders"},
			{map[string]any{"queryType": "services"}, "checkout"},
			{map[string]any{"queryType": "operations", "service": "web"}, "POST /checkout"},
			{map[string]any{"queryType": "versions", "service": "orders"}, "1."},
		} {
			frames, err := source.Ask(t.Context(), from, to, question.model)
			require.NoError(t, err)
			if err := unless(holds(frames, question.want), "%v does not list %q", question.model, question.want); err != nil {
				return err
			}
		}
		return nil
	})
}

func holds(frames data.Frames, prefix string) bool {
	for _, frame := range frames {
		for _, field := range frame.Fields {
			for row := range field.Len() {
				if value, ok := field.ConcreteAt(row); ok {
					if name, isText := value.(string); isText && strings.HasPrefix(name, prefix) {
						return true
					}
				}
			}
		}
	}
	return false
}

func TestForecastOverTheShop(t *testing.T) {
	source, _ := shop(t)
	to := time.Now()
	frames, err := source.Ask(t.Context(), to.Add(-6*time.Hour), to, map[string]any{
		"queryType": "forecast", "expr": requestRate, "horizon": "6h",
	})
	require.NoError(t, err)
	require.NotEmpty(t, frames)
	for _, frame := range frames {
		expected, lower, upper := harness.Numbers(frame, "expected"), harness.Numbers(frame, "lower"), harness.Numbers(frame, "upper")
		points := 0
		for i := range expected {
			if !math.IsNaN(expected[i]) {
				points++
				require.LessOrEqual(t, lower[i], expected[i])
				require.GreaterOrEqual(t, upper[i], expected[i])
			}
		}
		require.GreaterOrEqual(t, points, 6*60, "a forecast for each minute of six hours")
	}
}

func TestAnomalyOverTheShop(t *testing.T) {
	source, _ := shop(t)
	to := time.Now()
	from := to.Add(-24 * time.Hour)
	panel, err := source.Ask(t.Context(), from, to, map[string]any{"queryType": "anomaly", "expr": requestRate})
	require.NoError(t, err)
	require.Greater(t, len(panel), 3, "a series per service")
	inside, judged := 0, 0
	for _, frame := range panel {
		actual, lower, upper := harness.Numbers(frame, "actual"), harness.Numbers(frame, "lower"), harness.Numbers(frame, "upper")
		for i := range actual {
			if !math.IsNaN(actual[i]) && !math.IsNaN(lower[i]) {
				judged++
				if lower[i] <= actual[i] && actual[i] <= upper[i] {
					inside++
				}
			}
		}
	}
	require.Greater(t, judged, 1000)
	require.Greater(t, float64(inside)/float64(judged), 0.95, "quiet traffic lies in its band")

	// A rule gets one number for each service, and no other field.
	rule, err := source.AskAsRule(t.Context(), to.Add(-30*time.Minute), to, map[string]any{"queryType": "anomaly", "expr": requestRate})
	require.NoError(t, err)
	require.Len(t, rule, 1)
	require.Equal(t, data.FrameTypeNumericWide, rule[0].Meta.Type)
	require.Len(t, rule[0].Fields, len(panel))
	services := map[string]bool{}
	for _, field := range rule[0].Fields {
		require.Len(t, field.Labels, 1)
		services[field.Labels["service_name"]] = true
	}
	require.Len(t, services, len(panel))
}

func TestEqualQuestionsHaveEqualAnswers(t *testing.T) {
	source, l := shop(t)
	to := time.Now().Add(-time.Hour).Truncate(time.Minute) // ten seconds on, it is the same minute
	model := map[string]any{"queryType": "anomaly", "expr": requestRate}
	first, err := source.Ask(t.Context(), to.Add(-3*time.Hour), to, model)
	require.NoError(t, err)
	replica := harness.DataSource{Plugin: source.Plugin, Context: harness.PluginContext(l.Settings(), nil)} // an empty cache of its own
	second, err := replica.Ask(t.Context(), to.Add(-3*time.Hour), to.Add(10*time.Second-time.Nanosecond), model)
	require.NoError(t, err)
	require.Len(t, second, len(first))
	for i := range first {
		a, err := first[i].MarshalJSON()
		require.NoError(t, err)
		b, err := second[i].MarshalJSON()
		require.NoError(t, err)
		require.JSONEq(t, string(a), string(b))
	}
}

func TestBadQuestionsOverTheShop(t *testing.T) {
	source, _ := shop(t)
	to := time.Now()
	from := to.Add(-15 * time.Minute)
	for name, test := range map[string]struct {
		model map[string]any
		want  string
	}{
		"PromQL that does not parse":  {map[string]any{"queryType": "anomaly", "expr": "sum(("}, "parse error"},
		"no PromQL":                   {map[string]any{"queryType": "forecast"}, "expr"},
		"an unknown service":          {map[string]any{"queryType": "traceDiff", "service": "nobody"}, `service "nobody" sent no spans`},
		"a version never seen":        {map[string]any{"queryType": "traceDiff", "service": "orders", "candidate": map[string]any{"version": "99"}}, "99"},
		"both versions never seen":    {map[string]any{"queryType": "traceDiff", "service": "orders", "baseline": map[string]any{"version": "98"}, "candidate": map[string]any{"version": "99"}}, `version "98" of orders was not seen`},
		"TraceQL that does not parse": {map[string]any{"queryType": "traceDiff", "service": "orders", "baseline": map[string]any{"traceQL": "{ nonsense"}}, "TraceQL"},
		"an unknown question":         {map[string]any{"queryType": "fortune"}, "fortune"},
	} {
		t.Run(name, func(t *testing.T) {
			answers, err := source.AskAll(t.Context(),
				harness.Query("bad", from, to, test.model),
				harness.Query("good", from, to, map[string]any{"queryType": "services"}))
			require.NoError(t, err)
			require.ErrorContains(t, answers["bad"].Error, test.want)
			require.Equal(t, backend.ErrorSourceDownstream, answers["bad"].ErrorSource)
			require.NoError(t, answers["good"].Error)
		})
	}
}
