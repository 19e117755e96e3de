package scale

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// question is one of those that the shipped dashboards and rules ask.
type question struct {
	name     string
	from, to time.Time
	model    map[string]any
	rule     bool
}

func questions(t *testing.T, now time.Time) (all []question) {
	t.Helper()
	panels, err := harness.PanelQueries("orders")
	require.NoError(t, err)
	for _, asked := range panels {
		all = append(all, question{asked.Dashboard + "/" + asked.Panel, now.Add(asked.From), now.Add(asked.To), asked.Model, false})
	}
	rules, err := harness.Rules()
	require.NoError(t, err)
	for _, rule := range rules {
		from, to := rule.Window(now)
		all = append(all, question{"rule " + rule.UID, from, to, rule.Data[0].Model, true})
	}
	return all
}

func (q question) ask(t *testing.T, source harness.DataSource) data.Frames {
	t.Helper()
	ask := source.Ask
	if q.rule {
		ask = source.AskAsRule
	}
	frames, err := ask(t.Context(), q.from, q.to, q.model)
	require.NoError(t, err)
	return frames
}

// shown is what a person sees of an answer: the frames and their notices.
func shown(t *testing.T, frames data.Frames) (all []any) {
	t.Helper()
	for _, frame := range frames {
		if frame.Meta != nil {
			frame.Meta.Stats = nil // what it cost depends on what is remembered
		}
		raw, err := data.FrameToJSON(frame, data.IncludeAll)
		require.NoError(t, err)
		var one any
		require.NoError(t, json.Unmarshal(raw, &one))
		all = append(all, one)
	}
	return all
}

// TestSameAnswer asks every question of the shipped dashboards and rules over
// every topology, of every replica. The window ended long enough ago that all
// stores hold the same.
func TestSameAnswer(t *testing.T) {
	l, processes := started(t)
	time.Sleep(2 * time.Minute)
	require.NoError(t, l.Canary(t.Context(), "orders", "2.0.0", "slow-query", 0.5))
	time.Sleep(3 * time.Minute)
	now := time.Now().Truncate(time.Minute)
	time.Sleep(45 * time.Second)

	type asked struct {
		topology string
		replicas []harness.DataSource
	}
	var sources []asked
	for topology, setting := range settings(l) {
		one := asked{topology: topology}
		for _, process := range processes {
			one.replicas = append(one.replicas, harness.DataSource{Plugin: process, Context: harness.PluginContext(setting, nil)})
		}
		sources = append(sources, one)
	}
	slices.SortFunc(sources, func(a, b asked) int { return -cmp.Compare(a.topology, b.topology) })
	require.Equal(t, "single", sources[0].topology)
	for _, q := range questions(t, now) {
		t.Run(q.name, func(t *testing.T) {
			var single []any
			for _, source := range sources {
				first := shown(t, q.ask(t, source.replicas[0]))
				for _, replica := range source.replicas[1:] {
					if problem := difference(any(first), any(shown(t, q.ask(t, replica))), 0); problem != "" {
						t.Errorf("%s: one replica answers otherwise than the other: %s", source.topology, problem)
					}
				}
				// Two trace stores find other traces where there are more than a
				// sample holds: they must lead to the same.
				if slices.Contains(ofSamples, fmt.Sprint(q.model["queryType"])) {
					first = conclusions(first)
				}
				if single == nil {
					single = first
				} else if problem := difference(any(single), any(first), rounding); problem != "" {
					t.Errorf("%s answers otherwise than single servers: %s", source.topology, problem)
				}
			}
		})
	}
}

// ofSamples are the questions that are answered from samples of traces.
var ofSamples = []string{"traceDiff", "rootCause", "patterns", "serviceMap", "verdict"}

// conclusions are the frames of an answer, and who and what stands first in
// each.
func conclusions(answer []any) (found []any) {
	for _, one := range answer {
		frame := one.(map[string]any)
		schema := frame["schema"].(map[string]any)
		values := frame["data"].(map[string]any)["values"].([]any)
		first := map[string]any{"frame": schema["name"]}
		for i, field := range schema["fields"].([]any) {
			name := fmt.Sprint(field.(map[string]any)["name"])
			if column := values[i].([]any); len(column) > 0 && slices.Contains([]string{"verdict", "service", "call", "version", "kind"}, name) {
				first[name] = column[0]
			}
		}
		found = append(found, first)
	}
	return found
}

// rounding is how far numbers of two topologies may be apart, of their size.
// Mimir adds floating-point numbers in another order than Prometheus.
const rounding = 1e-9

// difference tells where two answers differ; empty where they do not.
func difference(want, got any, tolerance float64) string {
	switch want := want.(type) {
	case map[string]any:
		given, ok := got.(map[string]any)
		if !ok || len(given) != len(want) {
			return fmt.Sprintf("%.200v instead of %.200v", got, want)
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if problem := difference(want[name], given[name], tolerance); problem != "" {
				return name + ": " + problem
			}
		}
	case []any:
		given, ok := got.([]any)
		if !ok || len(given) != len(want) {
			return fmt.Sprintf("%.200v instead of %.200v", got, want)
		}
		for i := range want {
			if problem := difference(want[i], given[i], tolerance); problem != "" {
				return fmt.Sprintf("%d: %s", i, problem)
			}
		}
	case float64:
		given, ok := got.(float64)
		if !ok || math.Abs(given-want) > tolerance*math.Max(math.Abs(given), math.Abs(want)) {
			return fmt.Sprintf("%v instead of %v", got, want)
		}
	case string:
		given, _ := got.(string)
		if given != want {
			same := 0
			for same < min(len(given), len(want)) && given[same] == want[same] {
				same++
			}
			from := max(0, same-60)
			return fmt.Sprintf("…%.200q instead of …%.200q", given[from:], want[from:])
		}
	default:
		if got != want {
			return fmt.Sprintf("%v instead of %v", got, want)
		}
	}
	return ""
}
