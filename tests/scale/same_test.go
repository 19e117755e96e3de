package scale

import (
	"encoding/json"
	"fmt"
	"strings"
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
func shown(t *testing.T, frames data.Frames) string {
	t.Helper()
	var all []json.RawMessage
	for _, frame := range frames {
		if frame.Meta != nil {
			frame.Meta.Stats = nil // what it cost depends on what is remembered
		}
		raw, err := data.FrameToJSON(frame, data.IncludeAll)
		require.NoError(t, err)
		all = append(all, raw)
	}
	raw, err := json.MarshalIndent(all, "", " ")
	require.NoError(t, err)
	return string(raw)
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

	sources := map[string]harness.DataSource{}
	for topology, setting := range settings(l) {
		for replica, process := range processes {
			sources[fmt.Sprintf("%s, replica %d", topology, replica+1)] = harness.DataSource{Plugin: process, Context: harness.PluginContext(setting, nil)}
		}
	}
	for _, q := range questions(t, now) {
		t.Run(q.name, func(t *testing.T) {
			want := shown(t, q.ask(t, sources["single, replica 1"]))
			for name, source := range sources {
				if got := shown(t, q.ask(t, source)); got != want {
					t.Errorf("%s answers otherwise: %s", name, difference(want, got))
				}
			}
		})
	}
}

// difference shows the first lines that are not the same.
func difference(want, got string) string {
	wanted, given := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wanted), len(given)) {
		if wanted[i] != given[i] {
			return fmt.Sprintf("line %d of %d and %d\nwant %.300s\ngot  %.300s", i+1, len(wanted), len(given), wanted[i], given[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(given), len(wanted))
}
