package signals

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPresetsAreWhatTheServiceSaysOfItselfBeforeItsSpans(t *testing.T) {
	none := make([][]string, 3)
	matchers := []naming{asClient, {label: "service_name"}, {label: "service"}}
	chosen := choose(matchers, none, [][]string{
		{"traces_service_graph_request_total"},
		{"http_server_request_duration_seconds_count", "http_server_request_duration_seconds_bucket", "process_cpu_seconds_total"},
		{"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket", "process_cpu_seconds_total"},
	})
	require.Equal(t, []string{Traffic, Errors, Latency, dependency, Saturation}, kindsOf(chosen))
	for _, f := range chosen[:3] {
		require.Equal(t, "http", f.group)
		require.Contains(t, f.Expr("shop", time.Minute), `service_name="shop"`)
	}
	spansOnly := choose(matchers, none, [][]string{nil, nil, {"traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"}})
	require.Equal(t, []string{Traffic, Errors, Latency}, kindsOf(spansOnly))
	native := choose(matchers, none, [][]string{nil, {"http_server_request_duration_seconds"}, nil})
	require.Equal(t, []string{Traffic, Errors, Latency}, kindsOf(native))
	require.Contains(t, native[0].Expr("shop", time.Minute), "histogram_count")
	require.Empty(t, choose(matchers, none, make([][]string, 3)))
}

func kindsOf(chosen []BoundPreset) (kinds []string) {
	for _, f := range chosen {
		kinds = append(kinds, f.Kind)
	}
	return kinds
}

func TestPresetsAreComplete(t *testing.T) {
	for _, p := range presets {
		promQL := BoundPreset{preset: p, naming: naming{label: "service_name"}}.Expr(`a "quoted" name`, 5*time.Minute)
		t.Log(promQL)
		require.NotContains(t, promQL, "$")
		require.Contains(t, promQL, `="a \"quoted\" name"`)
		for _, pair := range []string{"()", "{}", "[]"} {
			require.Equal(t, strings.Count(promQL, pair[:1]), strings.Count(promQL, pair[1:]), promQL)
		}
	}
}

// Metrics that were switched on just now do not hide those of their group that have
// a past; those that ended do not hide the new ones.
func TestNewMetricsDoNotHideOlderOnes(t *testing.T) {
	const newer, older, spans = "http_server_request_duration_seconds_count", "http_server_duration_milliseconds_count", "traces_spanmetrics_calls_total"
	ask := func(before, now []string) string {
		chosen := choose([]naming{{label: "service_name"}}, [][]string{before}, [][]string{now})
		traffic := slices.IndexFunc(chosen, func(p BoundPreset) bool { return p.Kind == Traffic })
		require.GreaterOrEqual(t, traffic, 0)
		return chosen[traffic].metric
	}
	require.Equal(t, newer, ask(nil, []string{newer, older}))
	require.Equal(t, older, ask([]string{older}, []string{newer, older}))
	require.Equal(t, newer, ask([]string{older}, []string{newer}))
	require.Equal(t, newer, ask([]string{newer, older}, []string{newer, older}))
	require.Equal(t, spans, ask([]string{spans}, []string{newer, spans}))
	require.Equal(t, newer, ask([]string{newer}, []string{newer, spans}))
}
