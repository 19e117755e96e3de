package ops_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// versionCounter counts, per period, 9000 requests of version 1 and 1000 of 2.
type versionCounter struct {
	enginetest.Metrics
	named string
}

func (v versionCounter) LabelValues(_ context.Context, _ string, selectors []string, _, _ time.Time) ([]string, []string, error) {
	if v.named != "" && strings.Contains(selectors[0], `service="orders", service_version="2"`) {
		return []string{v.named}, nil, nil
	}
	return nil, nil, nil
}

func counting(failedOfCandidate, slowOfCandidate float64) versionCounter {
	one := func(version, limit string, value float64) series.Series {
		labels := series.Labels{"service_version": version}
		if limit != "" {
			labels["le"] = limit
		}
		return series.Series{Labels: labels, Values: []float64{value}}
	}
	return versionCounter{named: "traces_spanmetrics_latency_bucket", Metrics: enginetest.Metrics{Value: func(promQL string, _ time.Time) []series.Series {
		switch {
		case strings.Contains(promQL, "avg_over_time"):
			return nil // no resources
		case strings.Contains(promQL, "STATUS_CODE_ERROR"):
			return []series.Series{one("1", "", 9), one("2", "", failedOfCandidate)}
		case strings.Contains(promQL, "latency_bucket"):
			return []series.Series{
				one("1", "+Inf", 9000), one("1", "0.1", 8500), one("1", "1", 8999),
				one("2", "+Inf", 1000), one("2", "0.1", 944-slowOfCandidate), one("2", "1", 1000),
			}
		}
		return []series.Series{one("1", "", 9000), one("2", "", 1000)}
	}}}
}

func TestVerdict(t *testing.T) {
	long := core.Window{From: enginetest.Midnight.Add(-10 * time.Second), To: enginetest.Midnight.Add(40 * time.Minute)}
	named := query.Verdict{Service: "orders", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"}}
	for name, test := range map[string]struct {
		after   tracetest.Shop
		metrics upstream.Metrics
		want    canary.Verdict
		reason  string
	}{
		"all is well":     {tracetest.Shop{}, counting(1, 0), canary.Pass, "No signal"},
		"it fails":        {tracetest.Shop{}, counting(9, 0), canary.Fail, "errors is worse"},
		"it is slow":      {tracetest.Shop{}, counting(1, 200), canary.Fail, "over 0.1 s is worse"},
		"traces regress":  {tracetest.Shop{NPlusOne: 20}, counting(1, 0), canary.Inconclusive, "Traces regressed"},
		"nothing counted": {tracetest.Shop{}, versionCounter{}, canary.Inconclusive, "no counts"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newEngine(enginetest.ShopWithDeploy(test.after), test.metrics).Verdict(t.Context(), named.WithDefaults(), long)
			require.NoError(t, err)
			require.Equal(t, test.want, got.Judgement.Verdict, "%+v", got)
			require.Contains(t, got.Judgement.Reason, test.reason)
			require.Equal(t, "2", got.CandidateVersion)
		})
	}
}

// TestAFullPoolHolds: counts that are sound do not promote a version that has
// used up its connections; and the same use in both versions is no news.
func TestAFullPoolHolds(t *testing.T) {
	long := core.Window{From: enginetest.Midnight.Add(-10 * time.Second), To: enginetest.Midnight.Add(40 * time.Minute)}
	named := query.Verdict{Service: "orders", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"}}
	for baseline, want := range map[float64]canary.Verdict{0.3: canary.Inconclusive, 0.96: canary.Pass} {
		metrics := counting(1, 0)
		inner := metrics.Value
		metrics.Value = func(promQL string, at time.Time) []series.Series {
			if !strings.Contains(promQL, "hikaricp_connections_max") {
				return inner(promQL, at)
			}
			require.Contains(t, promQL, `service_version=~"1|2"`)
			use := func(version string, share float64) series.Series {
				return series.Series{Labels: series.Labels{"service_version": version}, Values: []float64{share}}
			}
			return []series.Series{use("1", baseline), use("2", 0.97)}
		}
		got, err := newEngine(nil, metrics).Verdict(t.Context(), named.WithDefaults(), long)
		require.NoError(t, err)
		require.Equal(t, want, got.Judgement.Verdict, "%+v", got)
		require.Len(t, got.Judgement.Resources, 1)
		if want == canary.Inconclusive {
			require.Contains(t, got.Judgement.Reason, "connection pool: the candidate uses 97 %")
		}
	}
}

func TestVerdictWithoutATraceStore(t *testing.T) {
	long := core.Window{From: enginetest.Midnight.Add(-10 * time.Second), To: enginetest.Midnight.Add(40 * time.Minute)}
	named := query.Verdict{Service: "orders", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"}}
	got, err := newEngine(nil, counting(1, 0)).Verdict(t.Context(), named.WithDefaults(), long)
	require.NoError(t, err)
	require.Equal(t, canary.Pass, got.Judgement.Verdict, "%+v", got)
	require.Contains(t, strings.Join(got.Notices, " "), "rests on metrics alone")
	counted := 0
	for _, promQL := range got.Queries {
		if strings.Contains(promQL, "traces_spanmetrics") {
			counted++
			require.Contains(t, promQL, `span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER"`, "what it calls is not what it serves")
		}
	}
	require.Positive(t, counted)
	_, err = newEngine(nil, counting(1, 0)).Verdict(t.Context(), query.Verdict{Service: "orders"}.WithDefaults(), long)
	require.ErrorContains(t, err, "both versions must be named")
}

func TestVerdictWithoutASecondVersionIsInconclusive(t *testing.T) {
	store := &enginetest.Traces{Stored: tracetest.Shop{Seed: 1, Traces: 300}.Generate()}
	got, err := newEngine(store, counting(1, 0)).Verdict(t.Context(), query.Verdict{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.Equal(t, canary.Inconclusive, got.Judgement.Verdict)
	require.Equal(t, diff.Verdict(""), got.Traces)
	require.Empty(t, got.Steps)

	_, err = newEngine(store, nil).Verdict(t.Context(), query.Verdict{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.Error(t, err)
}

// TestVerdictSeesTheNewestCounts: what a version did within the last minute
// counts, wherever in the minute the question comes.
func TestVerdictSeesTheNewestCounts(t *testing.T) {
	named := query.Verdict{Service: "orders", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"}}
	for _, second := range []time.Duration{0, 15, 35, 55} {
		end := enginetest.Midnight.Add(40*time.Minute + second*time.Second)
		metrics := counting(600, 0)
		inner := metrics.Value
		metrics.Value = func(promQL string, at time.Time) []series.Series {
			found := inner(promQL, at)
			for i := range found { // the canary came forty seconds ago
				if found[i].Labels["service_version"] == "2" && at.Before(end.Add(-40*time.Second)) {
					found[i].Values[0] = 0
				}
			}
			return found
		}
		got, err := newEngine(nil, metrics).Verdict(t.Context(), named.WithDefaults(), core.Window{From: end.Add(-time.Hour), To: end})
		require.NoError(t, err)
		require.Equal(t, end, got.Served)
		require.Equal(t, 1000.0, got.Judgement.Signals[0].Candidate.Requests)
		require.Equal(t, canary.Fail, got.Judgement.Verdict, "%+v", got.Judgement)
	}
}

// hangingTraces never answers.
type hangingTraces struct{ upstream.Traces }

func (hangingTraces) Search(ctx context.Context, _ upstream.TraceFilter) (upstream.TraceSet, error) {
	<-ctx.Done()
	return upstream.TraceSet{}, ctx.Err()
}

// TestAFailureIsNotKeptWaiting: a trace store that hangs delays no rollback
// that the counts prove, and brings no other verdict either.
func TestAFailureIsNotKeptWaiting(t *testing.T) {
	long := core.Window{From: enginetest.Midnight.Add(-10 * time.Second), To: enginetest.Midnight.Add(40 * time.Minute)}
	named := query.Verdict{Service: "orders", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"}}.WithDefaults()
	got, err := newEngine(hangingTraces{}, counting(9, 0)).Decide(t.Context(), named, long)
	require.NoError(t, err)
	require.Equal(t, canary.Fail, got.Judgement.Verdict)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = newEngine(hangingTraces{}, counting(1, 0)).Decide(ctx, named, long)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// brokenTraces fails every question.
type brokenTraces struct{ upstream.Traces }

var errBroken = &upstream.Error{Upstream: "Tempo", Category: upstream.Network, Message: "connection refused"}

func (brokenTraces) Search(context.Context, upstream.TraceFilter) (upstream.TraceSet, error) {
	return upstream.TraceSet{}, errBroken
}

func (brokenTraces) SpanCounts(context.Context, string, upstream.Range) (upstream.SeriesSet, error) {
	return upstream.SeriesSet{}, errBroken
}

// spanned is a metrics server whose span metrics tell when each version served.
func spanned(metrics versionCounter) versionCounter {
	inner := metrics.Value
	metrics.Value = func(promQL string, at time.Time) []series.Series {
		if !strings.Contains(promQL, "sum by (service, service_name, service_version)") {
			return inner(promQL, at)
		}
		calls := func(version string, since time.Time) series.Series {
			return series.Series{Labels: series.Labels{"service": "orders", "service_version": version}, Values: []float64{10 * max(at.Sub(since).Seconds(), 0)}}
		}
		return []series.Series{calls("1", enginetest.Midnight.Add(-time.Hour)), calls("2", enginetest.Midnight.Add(5*time.Minute))}
	}
	return metrics
}

// TestVerdictWhileTheTraceStoreFails: counts may fail a canary, but without the
// traces that should be compared they never pass one. The versions are then
// those of span metrics.
func TestVerdictWhileTheTraceStoreFails(t *testing.T) {
	long := core.Window{From: enginetest.Midnight.Add(-10 * time.Second), To: enginetest.Midnight.Add(40 * time.Minute)}
	named := query.Verdict{Service: "orders", Baseline: query.Population{Version: "1"}, Candidate: query.Population{Version: "2"}}
	for name, q := range map[string]query.Verdict{"named": named, "not named": {Service: "orders"}} {
		for failing, want := range map[float64]canary.Verdict{1: canary.Inconclusive, 9: canary.Fail} {
			e := newEngine(brokenTraces{}, spanned(counting(failing, 0)))
			for _, ask := range []func(context.Context, query.Verdict, core.Window) (ops.VerdictAnswer, error){
				e.Verdict, e.Decide,
				func(ctx context.Context, q query.Verdict, w core.Window) (ops.VerdictAnswer, error) {
					return e.DecideByCounts(ctx, q, w, ops.TraceVerdict{Verdict: diff.Insufficient, Reason: "Tempo did not answer"})
				},
			} {
				got, err := ask(t.Context(), q.WithDefaults(), long)
				require.NoError(t, err, name)
				require.Equal(t, want, got.Judgement.Verdict, "%s: %+v", name, got)
				require.Equal(t, "2", got.CandidateVersion)
				require.Equal(t, "1", got.BaselineVersion)
				if want == canary.Inconclusive {
					require.Contains(t, got.Judgement.Reason, "Tempo")
					require.Contains(t, strings.Join(got.Notices, " "), "Tempo")
				}
			}
		}
	}
	// Who cannot be told from metrics is not judged.
	_, err := newEngine(brokenTraces{}, counting(1, 0)).Decide(t.Context(), query.Verdict{Service: "orders"}.WithDefaults(), long)
	require.ErrorIs(t, err, errBroken)
}

// TestNotKnowingOfDeploysIsTold: that no deploy was seen is said together with
// who could not be asked.
func TestNotKnowingOfDeploysIsTold(t *testing.T) {
	store := &enginetest.Traces{Stored: tracetest.Shop{Seed: 1, Traces: 300}.Generate()}
	broken := enginetest.Metrics{Value: func(string, time.Time) []series.Series { return nil }, Err: &upstream.Error{Upstream: "Prometheus", Category: upstream.Network}}
	found, err := newEngine(store, broken).TraceDiff(t.Context(), query.TraceDiff{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.Contains(t, strings.Join(found.Notices, " "), "Prometheus cannot be reached")
	verdict, err := newEngine(store, broken).DecideByCounts(t.Context(), query.Verdict{Service: "orders"}.WithDefaults(), enginetest.Window, ops.TraceVerdict{Verdict: diff.Insufficient})
	require.NoError(t, err)
	require.Equal(t, canary.Inconclusive, verdict.Judgement.Verdict)
	require.Contains(t, strings.Join(verdict.Notices, " "), "Prometheus cannot be reached")
}
