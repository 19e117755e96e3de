package traces_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// rolledBack is the shop in which version 1 of orders was slow at first, 2 was
// slow as well and was rolled back to 1, by then well; then 3 came, harmless.
func rolledBack() (store *enginetest.Traces, back, third time.Time) {
	back, third = enginetest.Midnight.Add(80*time.Second), enginetest.Midnight.Add(120*time.Second)
	var traces []trace.Trace
	for i, part := range []tracetest.Shop{
		{Version: "1", Start: enginetest.Midnight, Traces: 400, SlowQuery: 10},
		{Version: "2", Start: enginetest.Midnight.Add(40 * time.Second), Traces: 400, SlowQuery: 10},
		{Version: "1", Start: back, Traces: 400},
		{Version: "3", Start: third, Traces: 400},
	} {
		part.Seed = uint64(i + 1)
		traces = append(traces, part.Generate()...)
	}
	return &enginetest.Traces{Stored: traces}, back, third
}

// TestBaselineIsWhatRanBefore checks that a deploy is compared with what it
// replaced: the version that served just before, and only since it came back.
func TestBaselineIsWhatRanBefore(t *testing.T) {
	store, back, third := rolledBack()
	whole := core.Window{From: enginetest.Window.From, To: third.Add(time.Minute)}
	found, err := newEngine(store, nil).TraceDiff(context.Background(), query.TraceDiff{Service: "orders"}.WithDefaults(), whole)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "3"}, []string{found.BaselineVersion, found.CandidateVersion})
	require.Equal(t, diff.NoChange, found.Result.Verdict, found.Result.Reason)
	require.False(t, found.Result.Baseline.Start.Before(back), "the slow beginning of version 1 is left out")
	require.Contains(t, found.Result.Reason, "of orders 1, which served before, without interruption since 2024-01-01 00:01:20Z")
	require.Contains(t, found.Result.Reason, "Seen: 268 traces of the candidate since the deploy, the newest 20s old at 2024-01-01 00:03:00Z")

	patterns, err := newEngine(store, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), whole)
	require.NoError(t, err)
	require.Equal(t, "1", patterns.BaselineVersion)

	named, err := newEngine(store, nil).TraceDiff(context.Background(),
		query.TraceDiff{Service: "orders", Baseline: query.Population{Version: "2"}}.WithDefaults(), whole)
	require.NoError(t, err)
	require.Equal(t, []string{"2", "3"}, []string{named.BaselineVersion, named.CandidateVersion}, "who names a version gets it")
	require.Equal(t, diff.Improved, named.Result.Verdict)
}

// TestExemplarsOfWhatRanBefore is the same where searches show nothing of the
// last minutes: the slow version must not come in through exemplars.
func TestExemplarsOfWhatRanBefore(t *testing.T) {
	store, back, third := rolledBack()
	hidden := &hiding{Traces: store, from: back}
	young := core.Window{From: enginetest.Window.From, To: third.Add(30 * time.Second)}
	e := newEngine(hidden, spanMetricsFor(store, 1))
	e.Now = func() time.Time { return young.To }
	found, err := e.TraceDiff(context.Background(), query.TraceDiff{Service: "orders"}.WithDefaults(), young)
	require.NoError(t, err)
	require.Contains(t, strings.Join(found.Notices, " "), "both sides are traces behind exemplars", found.Notices)
	require.Equal(t, []string{"1", "3"}, []string{found.BaselineVersion, found.CandidateVersion})
	require.Equal(t, diff.NoChange, found.Result.Verdict, found.Result.Reason)
	require.False(t, found.Result.Baseline.Start.Before(back))
	require.Contains(t, found.Result.Reason, "; baseline:")
}

// TestBaselineNearestToADeploy checks what a deploy is compared with where spans
// do not distinguish versions.
func TestBaselineNearestToADeploy(t *testing.T) {
	hour := enginetest.Midnight.Add(time.Hour)
	ask := func(every time.Duration, markers ...annotation.Deploy) traces.TraceDiffAnswer {
		before := tracetest.Shop{Seed: 1, Traces: int(time.Hour / every), Every: every}.Generate()
		after := tracetest.Shop{Seed: 2, Traces: int(10 * time.Minute / every), Every: every, Start: hour}.Generate()
		e := newEngine(enginetest.WithoutVersions(&enginetest.Traces{Stored: append(before, after...)}), nil)
		e.Now = func() time.Time { return hour.Add(10 * time.Minute) }
		e.DeployLogs = annotated(append(markers, annotation.Deploy{Service: "orders", Version: "9", At: hour})...)
		found, err := e.TraceDiff(context.Background(), query.TraceDiff{Service: "orders", MaxTraces: 1000}.WithDefaults(), core.Window{From: enginetest.Midnight, To: e.Now()})
		require.NoError(t, err)
		return found
	}
	busy := ask(time.Second)
	require.WithinRange(t, busy.Result.Baseline.Start, hour.Add(-10*time.Minute), hour.Add(-9*time.Minute))
	require.Contains(t, busy.Result.Reason, "from before it, since 2024-01-01 00:50:00Z")
	rare := ask(30 * time.Second)
	require.True(t, rare.Result.Baseline.Start.Before(enginetest.Midnight.Add(time.Minute)), "too few nearby: the whole hour")
	since := ask(30*time.Second, annotation.Deploy{Service: "orders", Version: "8", At: hour.Add(-20 * time.Minute)})
	require.False(t, since.Result.Baseline.Start.Before(hour.Add(-20*time.Minute)), "what was deployed before is another system")
	require.Contains(t, strings.Join(since.Notices, " "), "orders 8 arrived at 2024-01-01 00:40:00Z: the baseline begins there.")
}

// TestSameHourOfAnotherDay checks the baseline that lies a day before.
func TestSameHourOfAnotherDay(t *testing.T) {
	yesterday := tracetest.Shop{Seed: 1, Traces: 300}.Generate()
	today := tracetest.Shop{Seed: 2, Traces: 300, Start: enginetest.Midnight.Add(24 * time.Hour), SlowQuery: 10}.Generate()
	e := newEngine(&enginetest.Traces{Stored: append(yesterday, today...)}, nil)
	e.Now = func() time.Time { return enginetest.Midnight.Add(25 * time.Hour) }
	ask := func(ago time.Duration) (traces.TraceDiffAnswer, error) {
		q := query.TraceDiff{Service: "orders", Baseline: query.Population{Ago: query.Duration(ago)}}.WithDefaults()
		require.NoError(t, q.Validate())
		return e.TraceDiff(context.Background(), q, core.Window{From: enginetest.Midnight.Add(24 * time.Hour), To: enginetest.Midnight.Add(24*time.Hour + time.Minute)})
	}
	found, err := ask(24 * time.Hour)
	require.NoError(t, err)
	require.Equal(t, diff.Regressed, found.Result.Verdict, found.Result.Reason)
	require.Contains(t, found.Result.Reason, "traces of the same time 1d earlier, since 2024-01-01 00:00:00Z")
	_, err = ask(30 * time.Second)
	require.ErrorContains(t, err, "overlaps with the candidate, which is 1m long")
}
