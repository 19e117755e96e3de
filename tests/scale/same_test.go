//go:build integration

package scale

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
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
	for _, queried := range panels {
		// What lies ahead has no traces: such a window ends at the moment of the
		// question, and here no two are asked at the same moment.
		if slices.Contains(ofSamples, fmt.Sprint(queried.Model["queryType"])) {
			queried.To = min(queried.To, 0)
		}
		all = append(all, question{queried.Dashboard + "/" + queried.Panel, now.Add(queried.From), now.Add(queried.To), queried.Model, false})
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
func shown(t *testing.T, frames data.Frames) any {
	t.Helper()
	var all []any
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

// asked is one topology, seen by every replica.
type queried struct {
	topology string
	replicas []harness.DataSource
}

// deployed is a moment some minutes after a deploy that is slow, long enough
// ago that all stores hold the same, and the topologies, single servers first.
func deployed(t *testing.T) (now time.Time, sources []queried) {
	t.Helper()
	l, processes := started(t)
	moment.Do(func() {
		time.Sleep(2 * time.Minute)
		require.NoError(t, l.Canary(t.Context(), "orders", "2.0.0", "slow-query", 0.5))
		time.Sleep(3 * time.Minute)
		after = time.Now().Truncate(time.Minute)
		time.Sleep(45 * time.Second)
	})
	for topology, setting := range settings(l) {
		one := queried{topology: topology}
		for _, process := range processes {
			one.replicas = append(one.replicas, harness.DataSource{Plugin: process, Context: harness.PluginContext(setting, nil)})
		}
		sources = append(sources, one)
	}
	slices.SortFunc(sources, func(a, b queried) int { return -cmp.Compare(a.topology, b.topology) })
	require.Equal(t, "single", sources[0].topology)
	return after, sources
}

var (
	moment sync.Once
	after  time.Time
)

// same asks the same of every replica over every topology. Replicas must agree
// to the bit, topologies but for rounding and, where it says so, for samples.
func same(t *testing.T, sources []queried, ask func(harness.DataSource) any, gist func(any) any) {
	t.Helper()
	var single any
	for _, source := range sources {
		first := ask(source.replicas[0])
		for _, replica := range source.replicas[1:] {
			if problem := difference(first, ask(replica), 0); problem != "" {
				t.Errorf("%s: one replica answers otherwise than the other: %s", source.topology, problem)
			}
		}
		if first = gist(first); single == nil {
			single = first
		} else if problem := difference(single, first, rounding); problem != "" {
			t.Errorf("%s answers otherwise than single servers: %s", source.topology, problem)
		}
	}
}

func whole(answer any) any { return answer }

// TestSameAnswer asks every question of the shipped dashboards and rules over
// every topology, of every replica.
func TestSameAnswer(t *testing.T) {
	now, sources := deployed(t)
	for _, q := range questions(t, now) {
		t.Run(q.name, func(t *testing.T) {
			gist := whole
			// Two trace stores find other traces where there are more than a
			// sample holds: they must lead to the same.
			if slices.Contains(ofSamples, fmt.Sprint(q.model["queryType"])) {
				gist = conclusions
			}
			same(t, sources, func(source harness.DataSource) any { return shown(t, q.ask(t, source)) }, gist)
		})
	}
}

// TestSameHook asks what engines ask.
func TestSameHook(t *testing.T) {
	now, sources := deployed(t)
	for _, promQL := range []string{
		`foresight_canary_verdict{service="orders",baseline="1.9.4",candidate="2.0.0"}`,
		`foresight_anomaly_score{series="demand"}`,
		`foresight_predicted_demand{series="demand",lead="10m"}`,
		`foresight_breach_probability{series="demand",threshold="1000"}`,
	} {
		t.Run(promQL, func(t *testing.T) {
			path := "prom/api/v1/query"
			address := path + "?" + url.Values{"query": {promQL}, "time": {strconv.FormatInt(now.Unix(), 10)}}.Encode()
			same(t, sources, func(source harness.DataSource) any {
				context := source.Context
				context.User = &backend.User{Login: "sa-1", Role: "Viewer"}
				status, body, err := source.Plugin.Resource(t.Context(), &backend.CallResourceRequest{PluginContext: context, Path: path, URL: address, Method: http.MethodGet})
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, status, string(body))
				var answer struct{ Data struct{ Result []any } }
				require.NoError(t, json.Unmarshal(body, &answer))
				require.NotEmpty(t, answer.Data.Result, string(body))
				return answer.Data.Result
			}, whole)
		})
	}
}
