//go:build integration

package integration

import (
	"encoding/json"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/tests/harness"
)

func shippedRules(t *testing.T) []harness.Rule {
	t.Helper()
	rules, err := harness.Rules()
	require.NoError(t, err)
	return rules
}

// TestShippedRules asks what each rule in provisioning/ asks, as Grafana's
// alerting does. Questions about metrics must have a number for a service with
// two weeks of history; of those about traces the wording is checked.
func TestShippedRules(t *testing.T) {
	source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(map[string]any{
		"prometheus": map[string]any{"url": server(t, steadyService)},
	}, nil)}
	seen := map[string]bool{}
	for _, r := range shippedRules(t) {
		t.Run(r.UID, func(t *testing.T) {
			require.False(t, seen[r.UID], "the uid is used twice")
			seen[r.UID] = true
			require.LessOrEqual(t, len(r.UID), 40)
			if r.Record != nil {
				require.Equal(t, "A", r.Record.From)
				require.True(t, strings.HasPrefix(r.Record.Metric, "foresight_"), r.Record.Metric)
			} else {
				require.NotEqual(t, "Alerting", r.NoDataState, "no data is no alert")
				require.NotEqual(t, "Alerting", r.ExecErrState, "a fault of the plugin is no prediction")
				require.NotEmpty(t, r.Condition)
			}
			queried := r.Data[0]
			require.Equal(t, "foresight", queried.DatasourceUID)
			raw, err := json.Marshal(queried.Model)
			require.NoError(t, err)
			question, err := query.Parse("", raw)
			require.NoError(t, err)
			format, err := query.FormatOf(question, true)
			require.NoError(t, err)
			require.Equal(t, query.Alert, format)
			if !slices.Contains([]query.Type{query.TypeAnomaly, query.TypeBreach, query.TypeForecast, query.TypeComposite}, question.Type()) {
				return
			}
			from, to := r.Window(time.Now())
			frames, err := source.AskAsRule(t.Context(), from, to, queried.Model)
			require.NoError(t, err)
			require.Len(t, frames, 1)
			require.Equal(t, data.FrameTypeNumericWide, frames[0].Meta.Type)
			require.Len(t, frames[0].Fields, 1)
			value := harness.Number(frames[0], frames[0].Fields[0].Name, 0)
			require.False(t, math.IsNaN(value), "%+v", frames[0].Meta.Notices)
			if r.Record == nil {
				require.False(t, fires(r, value), "a steady service fires with %g", value)
			}
		})
	}
}

// TestRecordingReachesPrometheus: without its type Grafana takes a Prometheus
// for a Mimir, and writes recorded series where it does not listen.
func TestRecordingReachesPrometheus(t *testing.T) {
	root, err := harness.Root()
	require.NoError(t, err)
	raw, err := os.ReadFile(filepath.Join(root, "provisioning", "datasources", "upstreams.yaml"))
	require.NoError(t, err)
	var file struct {
		Datasources []struct {
			Type     string
			JSONData map[string]any `yaml:"jsonData"`
		}
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	for _, source := range file.Datasources {
		if source.Type == "prometheus" {
			require.Equal(t, "Prometheus", source.JSONData["prometheusType"])
		}
	}
}

// TestTelemetryGap lets one service fall silent.
func TestTelemetryGap(t *testing.T) {
	silentSince := time.Now().Add(-8 * time.Minute)
	for name, silent := range map[string]bool{"all report": false, "one is silent": true} {
		t.Run(name, func(t *testing.T) {
			source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(map[string]any{
				"prometheus": map[string]any{"url": server(t, lineServer(func(at time.Time) float64 {
					if silent && at.After(silentSince) {
						return 1
					}
					return 0
				}))},
			}, nil)}
			for _, r := range shippedRules(t) {
				if r.UID == "foresight-telemetry-gap" {
					to := time.Now()
					frames, err := source.AskAsRule(t.Context(), to.Add(-30*time.Minute), to, r.Data[0].Model)
					require.NoError(t, err)
					require.Equal(t, silent, fires(r, harness.Number(frames[0], frames[0].Fields[0].Name, 0)))
					return
				}
			}
			t.Fatal("the rule is gone")
		})
	}
}

// fires tells whether a value fires the rule's threshold expression.
func fires(r harness.Rule, value float64) bool {
	condition := r.Data[len(r.Data)-1].Model["conditions"].([]any)[0].(map[string]any)
	evaluator := condition["evaluator"].(map[string]any)
	limit, _ := strconv.ParseFloat(strings.TrimSpace(jsonOf(evaluator["params"].([]any)[0])), 64)
	return evaluator["type"] == "gt" && value > limit || evaluator["type"] == "lt" && value < limit
}

func jsonOf(value any) string {
	raw, _ := json.Marshal(value)
	return string(raw)
}

// steadyService is a metrics server with one service, orders, at rest: every
// question has one series with a daily rhythm far below any limit.
func steadyService(w http.ResponseWriter, r *http.Request) {
	lineServer(func(at time.Time) float64 {
		minute := float64(at.Unix()) / 60
		return timeOfDay(at) + 0.001*math.Sin(minute*1.7) + 0.001*math.Sin(minute*2.9)
	})(w, r)
}

// timeOfDay is a day's course between 0.07 at midnight and 0.13 at noon.
func timeOfDay(at time.Time) float64 {
	return 0.1 - 0.03*math.Cos(2*math.Pi*float64(at.Unix())/86400)
}

// lineServer answers every question with one series of the service orders.
func lineServer(value func(at time.Time) float64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		reply := func(found any) {
			_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": found})
		}
		if strings.HasSuffix(r.URL.Path, "/__name__/values") {
			names := []string{}
			if strings.Contains(r.FormValue("match[]"), `service_name="orders"`) {
				names = append(names, "http_server_request_duration_seconds_count")
			}
			reply(names)
			return
		}
		if !strings.HasSuffix(r.URL.Path, "/query_range") {
			reply([]any{})
			return
		}
		at := func(name string) float64 { v, _ := strconv.ParseFloat(r.FormValue(name), 64); return v }
		var values [][2]any
		for second, end, step := at("start"), at("end"), at("step"); second <= end && step > 0; second += step {
			values = append(values, [2]any{second, strconv.FormatFloat(value(time.Unix(int64(second), 0)), 'f', -1, 64)})
		}
		reply(map[string]any{"resultType": "matrix", "result": []any{
			map[string]any{"metric": map[string]string{"service_name": "orders"}, "values": values}}})
	}
}
