package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// rollout is a canary of orders: version 2 beside version 1 for the last forty
// minutes, a tenth of the traffic.
type rollout struct {
	upstream.Metrics
	failing float64       // share of the canary's requests
	begun   time.Duration // ago; 0 for forty minutes
	ended   time.Duration // how long ago the canary served last
	few     bool          // a hundredth of the traffic
	err     error
	traces  upstream.Traces // nil for those of spans
}

func (rollout) LabelValues(_ context.Context, _ string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	if strings.Contains(selectors[0], `service="orders", service_version="2"`) {
		return []string{"traces_spanmetrics_latency_bucket"}, nil, nil
	}
	return nil, nil, nil
}

func (r rollout) QueryRange(_ context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	draw := func(version, limit string, perMinute float64) series.Series {
		labels := series.Labels{"service_version": version}
		if limit != "" {
			labels["le"] = limit
		}
		one := series.Series{Labels: labels, Start: window.Start, Step: window.Step}
		for t := window.Start; !t.After(window.End); t = t.Add(window.Step) {
			value := perMinute * window.Step.Minutes()
			if age := noon.Sub(t); version == "2" && (age >= r.begun || age < r.ended) {
				value = 0
			}
			one.Values = append(one.Values, value)
		}
		return one
	}
	load := 1000.0
	if r.few {
		load = 10
	}
	set := upstream.SeriesSet{}
	switch {
	case r.err != nil:
		return set, r.err
	case strings.Contains(promQL, "STATUS_CODE_ERROR"):
		set.Series = []series.Series{draw("1", "", 0.001*9*load), draw("2", "", r.failing*load)}
	case strings.Contains(promQL, "latency_bucket"):
		set.Series = []series.Series{
			draw("1", "+Inf", 9*load), draw("1", "0.1", 8.5*load), draw("1", "1", 8.99*load),
			draw("2", "+Inf", load), draw("2", "0.1", 0.944*load), draw("2", "1", load),
		}
	default:
		set.Series = []series.Series{draw("1", "", 9*load), draw("2", "", load)}
	}
	return set, nil
}

// spans are the traces of both versions: alike.
type spans struct{ upstream.Traces }

func (spans) Search(_ context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	shop := tracetest.Shop{Seed: 1, Traces: 300, Version: filter.Version, Start: filter.Start.Add(time.Second)}
	if filter.Version == "2" {
		shop.Seed = 2
	}
	return upstream.TraceSet{Traces: shop.Generate()}, nil
}

func (r rollout) hooks(t *testing.T, change ...func(*Settings)) http.Handler {
	t.Helper()
	if r.begun == 0 {
		r.begun = 40 * time.Minute
	}
	if r.traces == nil {
		r.traces = spans{}
	}
	e := &engine.Engine{Metrics: r, Traces: r.traces, Now: func() time.Time { return noon }, Limits: engine.Limits{MaxSeries: 50, MaxTraces: 1000}}
	settings := Settings{CallerRate: 1000, Timeout: 2 * time.Minute}
	for _, one := range change {
		one(&settings)
	}
	h := New(e, settings)
	t.Cleanup(h.Close)
	mux := http.NewServeMux()
	h.Register(mux)
	return mux
}

var rollouts = map[string]struct {
	canary  rollout
	verdict string // empty where nothing can be said
	reason  string
}{
	"sound":          {rollout{failing: 0.001}, "pass", "No signal is worse"},
	"failing":        {rollout{failing: 0.03}, "fail", "errors is worse"},
	"undecided":      {rollout{failing: 0.001, few: true}, "inconclusive", "is undecided"},
	"over":           {rollout{failing: 0.001, ended: 10 * time.Minute}, "", "do not serve at the same time: last at 2026-03-02T11:"},
	"rolled back":    {rollout{failing: 0.03, ended: 10 * time.Minute}, "", "do not serve at the same time: last at 2026-03-02T11:"},
	"not begun":      {rollout{begun: -1}, "", "they never did in this window"},
	"metrics broken": {rollout{err: &upstream.Error{Upstream: "Prometheus", Category: upstream.Server, Status: 500, Message: "disk full"}}, "", "disk full"},
}

func TestVerdictHook(t *testing.T) {
	phases := map[string]string{"pass": "Successful", "fail": "Failed", "inconclusive": "Inconclusive"}
	const path = "/verdict?service=orders&baseline=1&candidate=2"
	for name, test := range rollouts {
		t.Run(name, func(t *testing.T) {
			handler := test.canary.hooks(t)
			ask := func(request *http.Request) (int, map[string]any) {
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, request)
				var found map[string]any
				require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &found), recorder.Body.String())
				return recorder.Code, found
			}
			status, found := ask(httptest.NewRequest(http.MethodGet, path, nil))
			if test.verdict == "" {
				require.Equal(t, http.StatusUnprocessableEntity, status)
				require.Contains(t, found["error"], test.reason)
				require.NotContains(t, found, "verdict")
				return
			}
			require.Equal(t, http.StatusOK, status, found)
			require.Equal(t, test.verdict, found["verdict"], found)
			require.Equal(t, phases[test.verdict], found["phase"])
			require.Contains(t, found["reason"], test.reason)
			require.Equal(t, "2", found["candidate"])
			require.Len(t, found["id"], 32)
			require.NotEmpty(t, found["metrics"])

			status, posted := ask(post("/verdict?view=min", "application/json", `{"service":"orders","baseline":"1","candidate":"2","window":"1h"}`))
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, found["id"], posted["id"])
			require.NotContains(t, posted, "metrics")
		})
	}
	for _, bad := range []string{"/verdict", path + "&window=1y", path + "&margin=x", path + "&margin=NaN", path + "&margin=2"} {
		recorder := httptest.NewRecorder()
		rollout{}.hooks(t).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, bad, nil))
		require.Equal(t, http.StatusUnprocessableEntity, recorder.Code, bad)
	}
	recorder := httptest.NewRecorder()
	rollout{}.hooks(t).ServeHTTP(recorder, post("/verdict", "application/json", `[`))
	require.Equal(t, http.StatusBadRequest, recorder.Code)
}

func TestCanarySeries(t *testing.T) {
	scores := map[string][2]float64{"pass": {95, 100}, "fail": {0, 0}, "inconclusive": {75, 94.99}}
	verdicts := map[string]string{"pass": "1", "fail": "-1", "inconclusive": "0"}
	for name, test := range rollouts {
		t.Run(name, func(t *testing.T) {
			handler := test.canary.hooks(t)
			const which = `{service="orders",baseline="1",candidate="2"}`
			status, found := serve(t, handler, get(instant, "query", "foresight_canary_verdict"+which))
			if test.verdict == "" {
				require.Equal(t, http.StatusUnprocessableEntity, status)
				require.Contains(t, found.Error, test.reason)
				return
			}
			require.Equal(t, http.StatusOK, status, found.Error)
			require.Equal(t, verdicts[test.verdict], found.vector(t)[0].Value[1])
			require.Contains(t, strings.Join(found.Warnings, " "), "version 2 against 1")

			_, found = serve(t, handler, get(instant, "query", "foresight_canary_score"+which+" >= 0"))
			var score float64
			require.NoError(t, json.Unmarshal([]byte(found.vector(t)[0].Value[1].(string)), &score))
			require.GreaterOrEqual(t, score, scores[test.verdict][0])
			require.LessOrEqual(t, score, scores[test.verdict][1])
		})
	}
}

// TestFlaggerHooks checks that no webhook says yes without a reason to, and
// that Flagger gets to see each no.
func TestFlaggerHooks(t *testing.T) {
	yes := map[string][]string{
		"rollout":                  {"sound", "undecided"},
		"confirm-traffic-increase": {"sound"},
		"confirm-promotion":        {"sound"},
		"rollback":                 {"failing"},
	}
	for webhook, agreed := range yes {
		for name, test := range rollouts {
			t.Run(webhook+" "+name, func(t *testing.T) {
				recorder := httptest.NewRecorder()
				test.canary.hooks(t).ServeHTTP(recorder, post("/flagger/"+webhook, "application/json",
					`{"name":"orders","namespace":"shop","phase":"Progressing","checksum":"9","metadata":{"baseline":"1","candidate":"2"}}`))
				var found map[string]string
				require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &found))
				want, field := http.StatusConflict, "error"
				for _, one := range agreed {
					if one == name {
						want, field = http.StatusOK, "reason"
					}
				}
				require.Equal(t, want, recorder.Code, found)
				require.Contains(t, found[field], test.reason)
			})
		}
	}
}

func TestFlaggerBeginsNoRolloutIntoAnIncident(t *testing.T) {
	handler := testHooks(t)
	for _, test := range []struct {
		body     string
		status   int
		reported string
	}{
		{`{"name":"cart"}`, http.StatusOK, "score of cart is"},
		{`{"name":"canary-of-something","metadata":{"service":"cart"}}`, http.StatusOK, "score of cart is"},
		{`{"name":"nobody"}`, http.StatusConflict, "no answer"},
		{`{}`, http.StatusConflict, "no answer"},
		{`[`, http.StatusBadRequest, "not what Flagger posts"},
	} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, post("/flagger/confirm-rollout", "application/json", test.body))
		require.Equal(t, test.status, recorder.Code, recorder.Body.String())
		require.Contains(t, recorder.Body.String(), test.reported)
	}
}

// slowSpans are those of a store that hangs.
type slowSpans struct{ upstream.Traces }

func (slowSpans) Search(ctx context.Context, _ upstream.TraceFilter) (upstream.TraceSet, error) {
	<-ctx.Done()
	return upstream.TraceSet{}, ctx.Err()
}

// lostSpans are those of a store that fails.
type lostSpans struct{ upstream.Traces }

func (lostSpans) Search(context.Context, upstream.TraceFilter) (upstream.TraceSet, error) {
	return upstream.TraceSet{}, &upstream.Error{Upstream: "Tempo", Category: upstream.Network, Message: "connection refused"}
}

// TestEnginesDoNotWaitForTraces: while the trace store hangs or fails a canary
// whose counts are bad fails, and none passes; engines are told within their own
// patience, and not by an error.
func TestEnginesDoNotWaitForTraces(t *testing.T) {
	quick := func(s *Settings) { s.Timeout = time.Second }
	for name, store := range map[string]upstream.Traces{"hangs": slowSpans{}, "fails": lostSpans{}} {
		for canary, want := range map[string]string{"sound": "inconclusive", "failing": "fail"} {
			t.Run(name+" "+canary, func(t *testing.T) {
				rollout := rollouts[canary].canary
				rollout.traces = store
				recorder := httptest.NewRecorder()
				rollout.hooks(t, quick).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/verdict?service=orders&baseline=1&candidate=2", nil))
				require.Equal(t, http.StatusOK, recorder.Code, recorder.Body.String())
				var found struct {
					Verdict, Reason string
					Warnings        []string
				}
				require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &found))
				require.Equal(t, want, found.Verdict, found)
				if want == "inconclusive" {
					require.Contains(t, found.Reason, "Traces do not suffice")
				}
			})
		}
	}
}

// TestALateComparisonCounts: what a slow store said after an engine had gone
// stands beside the counts of its next question.
func TestALateComparisonCounts(t *testing.T) {
	late := engine.TraceVerdict{Verdict: diff.NoChange, Baseline: "1", Reason: "nothing changed"}
	sound := rollouts["sound"].canary
	sound.begun = 40 * time.Minute
	e := &engine.Engine{Metrics: sound, Now: func() time.Time { return noon }}
	for candidate, want := range map[string]canary.Verdict{"2": canary.Pass, "3": canary.Inconclusive} {
		late.Candidate = candidate
		found, err := e.DecideByCounts(t.Context(), query.Verdict{
			Service: "orders", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"},
		}.WithDefaults(), engine.Window{From: noon.Add(-time.Hour), To: noon}, late)
		require.NoError(t, err)
		require.Equal(t, want, found.Judgement.Verdict, found.Judgement.Reason)
	}
}
