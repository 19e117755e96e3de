package engine

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// rolledBack is the shop in which version 1 of orders was slow at first, 2 was
// slow as well and was rolled back to 1, by then well; then 3 came, harmless.
func rolledBack() (store *fakeTraces, back, third time.Time) {
	back, third = midnight.Add(80*time.Second), midnight.Add(120*time.Second)
	var traces []trace.Trace
	for i, part := range []tracetest.Shop{
		{Version: "1", Start: midnight, Traces: 400, SlowQuery: 10},
		{Version: "2", Start: midnight.Add(40 * time.Second), Traces: 400, SlowQuery: 10},
		{Version: "1", Start: back, Traces: 400},
		{Version: "3", Start: third, Traces: 400},
	} {
		part.Seed = uint64(i + 1)
		traces = append(traces, part.Generate()...)
	}
	return &fakeTraces{traces: traces}, back, third
}

// TestBaselineIsWhatRanBefore checks that a deploy is compared with what it
// replaced: the version that served just before, and only since it came back.
func TestBaselineIsWhatRanBefore(t *testing.T) {
	store, back, third := rolledBack()
	whole := Window{From: window.From, To: third.Add(time.Minute)}
	found, err := engine(store, nil).TraceDiff(context.Background(), query.TraceDiff{Service: "orders"}.WithDefaults(), whole)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "3"}, []string{found.BaselineVersion, found.CandidateVersion})
	require.Equal(t, diff.NoChange, found.Result.Verdict, found.Result.Reason)
	require.False(t, found.Result.Baseline.Start.Before(back), "the slow beginning of version 1 is left out")
	require.Contains(t, found.Result.Reason, "of orders 1, which served before, without interruption since 2024-01-01 00:01:20Z")
	require.Contains(t, found.Result.Reason, "Seen: 268 traces of the candidate since the deploy, the newest 20s old at 2024-01-01 00:03:00Z")

	patterns, err := engine(store, nil).Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), whole)
	require.NoError(t, err)
	require.Equal(t, "1", patterns.BaselineVersion)

	named, err := engine(store, nil).TraceDiff(context.Background(),
		query.TraceDiff{Service: "orders", Baseline: query.Population{Version: "2"}}.WithDefaults(), whole)
	require.NoError(t, err)
	require.Equal(t, []string{"2", "3"}, []string{named.BaselineVersion, named.CandidateVersion}, "who names a version gets it")
	require.Equal(t, diff.Improved, named.Result.Verdict)
}

// TestExemplarsOfWhatRanBefore is the same where searches show nothing of the
// last minutes: the slow version must not come in through exemplars.
func TestExemplarsOfWhatRanBefore(t *testing.T) {
	store, back, third := rolledBack()
	hidden := &hiding{fakeTraces: store, from: back}
	young := Window{From: window.From, To: third.Add(30 * time.Second)}
	e := engine(hidden, spanMetricsFor(store, 1))
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
// do not tell versions apart.
func TestBaselineNearestToADeploy(t *testing.T) {
	hour := midnight.Add(time.Hour)
	ask := func(every time.Duration, deploys ...annotation.Deploy) TraceDiffAnswer {
		before := tracetest.Shop{Seed: 1, Traces: int(time.Hour / every), Every: every}.Generate()
		after := tracetest.Shop{Seed: 2, Traces: int(10 * time.Minute / every), Every: every, Start: hour}.Generate()
		e := engine(without(&fakeTraces{traces: append(before, after...)}), nil)
		e.Now = func() time.Time { return hour.Add(10 * time.Minute) }
		e.DeployLogs = annotated(append(deploys, annotation.Deploy{Service: "orders", Version: "9", At: hour})...)
		found, err := e.TraceDiff(context.Background(), query.TraceDiff{Service: "orders", MaxTraces: 1000}.WithDefaults(), Window{From: midnight, To: e.Now()})
		require.NoError(t, err)
		return found
	}
	busy := ask(time.Second)
	require.WithinRange(t, busy.Result.Baseline.Start, hour.Add(-10*time.Minute), hour.Add(-9*time.Minute))
	require.Contains(t, busy.Result.Reason, "from before it, since 2024-01-01 00:50:00Z")
	rare := ask(30 * time.Second)
	require.True(t, rare.Result.Baseline.Start.Before(midnight.Add(time.Minute)), "too few nearby: the whole hour")
	since := ask(30*time.Second, annotation.Deploy{Service: "orders", Version: "8", At: hour.Add(-20 * time.Minute)})
	require.False(t, since.Result.Baseline.Start.Before(hour.Add(-20*time.Minute)), "what was deployed before is another system")
	require.Contains(t, strings.Join(since.Notices, " "), "orders 8 arrived at 2024-01-01 00:40:00Z: the baseline begins there.")
}

func TestStretches(t *testing.T) {
	at := func(step int) time.Time { return noon.Add(time.Duration(step) * 5 * time.Second) }
	for name, test := range map[string]struct {
		own, others []float64
		want        []Stretch
	}{
		"never":              {[]float64{0, 0}, []float64{9, 9}, nil},
		"always":             {[]float64{9, 9, 9}, []float64{0, 0, 0}, []Stretch{{at(0), at(3)}}},
		"away and back":      {[]float64{90, 0, 0, 0, 90}, []float64{0, 90, 90, 90, 0}, []Stretch{{at(0), at(1)}, {at(4), at(5)}}},
		"nobody serves":      {[]float64{90, 0, 0, 0, 90}, []float64{0, 0, 0, 0, 0}, []Stretch{{at(0), at(5)}}},
		"a canary of little": {[]float64{1, 0, 0, 1, 1}, []float64{99, 99, 99, 99, 99}, []Stretch{{at(0), at(5)}}},
	} {
		t.Run(name, func(t *testing.T) {
			versions := []series.Series{counts("orders", "1", test.own...), counts("orders", "2", test.others...)}
			require.Equal(t, test.want, stretchesOf(versions[0], totalsOf(versions)))
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Float64Range(0, 100)
		own := rapid.SliceOfN(count, 1, 40).Draw(t, "own")
		others := rapid.SliceOfN(count, len(own), len(own)).Draw(t, "others")
		versions := []series.Series{counts("orders", "1", own...), counts("orders", "2", others...)}
		last := time.Time{}
		for _, s := range stretchesOf(versions[0], totalsOf(versions)) {
			require.True(t, s.From.Before(s.To) && !s.From.Before(last), "in order and apart")
			last = s.To
		}
	})
}

func TestServedBefore(t *testing.T) {
	first := counts("orders", "1", 9, 9, 0, 0, 9, 9, 0)
	second := counts("orders", "2", 0, 0, 9, 9, 0, 0, 0)
	third := counts("orders", "3", 0, 0, 0, 0, 0, 3, 9)
	unnamed := counts("orders", "", 99, 99, 99, 99, 99, 99, 99)
	for i, test := range []struct {
		versions []series.Series
		arrival  int
		want     string
		found    bool
	}{
		{[]series.Series{first, second, third}, 5, "1", true},
		{[]series.Series{first, second, third}, 2, "1", true},
		{[]series.Series{first, second, third}, 0, "", false},
		{[]series.Series{first, unnamed, third}, 5, "1", true},
		{[]series.Series{unnamed, third}, 5, "", true},
	} {
		version, found := servedBefore(test.versions, test.arrival)
		require.Equal(t, test.want, version, fmt.Sprint(i))
		require.Equal(t, test.found, found)
	}
}

func TestIncrements(t *testing.T) {
	missing := math.NaN()
	grown := increments([]float64{missing, 4, 4, 6, 5, 7, missing, 2, 3})
	require.True(t, math.IsNaN(grown[0]) && math.IsNaN(grown[6]))
	grown[0], grown[6] = 0, 0
	require.Equal(t, []float64{0, 4, 0, 2, 0, 2, 0, 2, 1}, grown)
}

// TestSameHourOfAnotherDay checks the baseline that lies a day before.
func TestSameHourOfAnotherDay(t *testing.T) {
	yesterday := tracetest.Shop{Seed: 1, Traces: 300}.Generate()
	today := tracetest.Shop{Seed: 2, Traces: 300, Start: midnight.Add(24 * time.Hour), SlowQuery: 10}.Generate()
	e := engine(&fakeTraces{traces: append(yesterday, today...)}, nil)
	e.Now = func() time.Time { return midnight.Add(25 * time.Hour) }
	ask := func(ago time.Duration) (TraceDiffAnswer, error) {
		q := query.TraceDiff{Service: "orders", Baseline: query.Population{Ago: query.Duration(ago)}}.WithDefaults()
		require.NoError(t, q.Validate())
		return e.TraceDiff(context.Background(), q, Window{From: midnight.Add(24 * time.Hour), To: midnight.Add(24*time.Hour + time.Minute)})
	}
	found, err := ask(24 * time.Hour)
	require.NoError(t, err)
	require.Equal(t, diff.Regressed, found.Result.Verdict, found.Result.Reason)
	require.Contains(t, found.Result.Reason, "traces of the same time 1d earlier, since 2024-01-01 00:00:00Z")
	_, err = ask(30 * time.Second)
	require.ErrorContains(t, err, "overlaps with the candidate, which is 1m long")
}
