package decide_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/decide"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

const looks = 60 // each half a minute

// simulate draws the periods of a rollout: a tenth of 200 requests per second.
func simulate(seed uint64, baseline, candidate float64) (periods []decide.Period) {
	source := rand.NewPCG(seed, 1)
	draw := func(requests, rate float64) decide.Tally {
		return decide.Tally{Requests: requests, Bad: distuv.Binomial{N: requests, P: rate, Src: source}.Rand()}
	}
	for range looks {
		share := 600 + 60*rand.New(source).NormFloat64()
		share = math.Round(share)
		periods = append(periods, decide.Period{Baseline: draw(6000-share, baseline), Candidate: draw(share, candidate)})
	}
	return periods
}

// firstFailure is the look that fails the canary; 0 for none.
func firstFailure(periods []decide.Period, beside ...decide.Signal) int {
	for look := 1; look <= len(periods); look++ {
		canary := one(periods[:look]...)
		canary.Signals = append(canary.Signals, beside...)
		if canary.Judge().Verdict == decide.Fail {
			return look
		}
	}
	return 0
}

func one(periods ...decide.Period) decide.Canary {
	return decide.Canary{Signals: []decide.Signal{{Name: "errors", Critical: true, Margin: 0.001, Periods: periods}}}
}

func TestNoChangeIsRarelyRolledBack(t *testing.T) {
	var rolledBack int
	for seed := range uint64(1000) {
		if firstFailure(simulate(seed, 0.002, 0.002)) > 0 {
			rolledBack++
		}
	}
	t.Logf("%d of 1000 rolled back in %d looks", rolledBack, looks)
	require.LessOrEqual(t, rolledBack, 10)
}

// TestAMovingGridRollsBackNoMore: engines look every quarter of a minute, and
// each look cuts the same time into minutes anew, back from its own end.
func TestAMovingGridRollsBackNoMore(t *testing.T) {
	const perMinute, minutes = 4, 30
	failed := func(quarters []decide.Period) bool {
		for look := 1; look <= len(quarters); look++ {
			var periods []decide.Period
			for end := look; end > 0; end -= perMinute {
				var p decide.Period
				for _, q := range quarters[max(0, end-perMinute):end] {
					p.Baseline.Requests, p.Baseline.Bad = p.Baseline.Requests+q.Baseline.Requests, p.Baseline.Bad+q.Baseline.Bad
					p.Candidate.Requests, p.Candidate.Bad = p.Candidate.Requests+q.Candidate.Requests, p.Candidate.Bad+q.Candidate.Bad
				}
				periods = append(periods, p)
			}
			if one(periods...).Judge().Verdict == decide.Fail {
				return true
			}
		}
		return false
	}
	var rolledBack int
	for seed := range uint64(1000) {
		source := rand.NewPCG(seed, 2)
		draw := func(requests float64) decide.Tally {
			return decide.Tally{Requests: requests, Bad: distuv.Binomial{N: requests, P: 0.002, Src: source}.Rand()}
		}
		var quarters []decide.Period
		for range minutes * perMinute {
			share := math.Round(300 + 30*rand.New(source).NormFloat64())
			quarters = append(quarters, decide.Period{Baseline: draw(3000 - share), Candidate: draw(share)})
		}
		if failed(quarters) {
			rolledBack++
		}
	}
	t.Logf("%d of 1000 rolled back in %d looks", rolledBack, minutes*perMinute)
	require.LessOrEqual(t, rolledBack, 10)
}

func TestThreefoldErrorsAreFoundInMinutes(t *testing.T) {
	for name, beside := range map[string][]decide.Signal{"alone": nil, "beside three signals of latency": make([]decide.Signal, 3)} {
		t.Run(name, func(t *testing.T) {
			var found []int
			const runs = 500
			for seed := range uint64(runs) {
				if look := firstFailure(simulate(seed, 0.002, 0.006), beside...); look > 0 {
					found = append(found, look)
				}
			}
			slices.Sort(found)
			t.Logf("%d of %d found, median after %.1f minutes", len(found), runs, float64(found[len(found)/2])/2)
			require.GreaterOrEqual(t, len(found), runs*99/100)
			require.LessOrEqual(t, found[len(found)/2], 6)
		})
	}
}

func TestPublishedCounterexamples(t *testing.T) {
	for name, test := range map[string]struct {
		canary decide.Canary
		want   decide.Verdict
	}{
		"30 % of samples a hundred times worse": {one(decide.Period{
			Baseline: decide.Tally{Bad: 10, Requests: 1000}, Candidate: decide.Tally{Bad: 300, Requests: 1000}}), decide.Fail},
		"no errors in the baseline, a failing canary": {one(decide.Period{
			Baseline: decide.Tally{Requests: 5000}, Candidate: decide.Tally{Bad: 20, Requests: 500}}), decide.Fail},
		"no errors in the baseline, a few in the canary's first seconds": {one(decide.Period{
			Baseline: decide.Tally{Requests: 470}, Candidate: decide.Tally{Bad: 3.2, Requests: 4.3}}), decide.Inconclusive},
		"no errors at all": {one(decide.Period{
			Baseline: decide.Tally{Requests: 100000}, Candidate: decide.Tally{Requests: 10000}}), decide.Pass},
		"no traffic":       {one(), decide.Inconclusive},
		"no signal":        {decide.Canary{}, decide.Inconclusive},
		"only one version": {one(decide.Period{Candidate: decide.Tally{Requests: 1e6}}), decide.Inconclusive},
		"too few to pass":  {one(decide.Period{Baseline: decide.Tally{Requests: 1e6}, Candidate: decide.Tally{Requests: 500}}), decide.Inconclusive},
		"counts that lie":  {one(decide.Period{Baseline: decide.Tally{Bad: math.NaN(), Requests: 9}, Candidate: decide.Tally{Bad: 9, Requests: -1}}), decide.Inconclusive},
		"worse, and fewer than the margin": {one(decide.Period{
			Baseline: decide.Tally{Bad: 100, Requests: 1e6}, Candidate: decide.Tally{Bad: 300, Requests: 1e6}}), decide.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.canary.Judge()
			require.Equal(t, test.want, got.Verdict, "%+v", got)
			require.NotEmpty(t, got.Reason)
			band := map[decide.Verdict][2]float64{decide.Fail: {0, 74.9}, decide.Inconclusive: {75, 94.9}, decide.Pass: {95, 100}}[got.Verdict]
			require.GreaterOrEqual(t, got.Score, band[0])
			require.LessOrEqual(t, got.Score, band[1])
		})
	}
}

func TestTracesAreCritical(t *testing.T) {
	canary := one(decide.Period{Baseline: decide.Tally{Requests: 1e5}, Candidate: decide.Tally{Requests: 1e4}})
	for traces, want := range map[diff.Verdict]decide.Verdict{
		diff.Regressed: decide.Fail, diff.Insufficient: decide.Inconclusive, diff.NoChange: decide.Pass, "": decide.Pass,
	} {
		canary.Traces = traces
		require.Equal(t, want, canary.Judge().Verdict, traces)
	}
}

func TestAFullResourceHoldsAndFailsNothing(t *testing.T) {
	sound := one(decide.Period{Baseline: decide.Tally{Bad: 900, Requests: 900000}, Candidate: decide.Tally{Bad: 100, Requests: 100000}})
	require.Equal(t, decide.Pass, sound.Judge().Verdict)
	for _, c := range []struct {
		baseline, candidate float64
		want                decide.Verdict
	}{
		{0.4, 0.97, decide.Inconclusive},
		{0.85, 0.89, decide.Pass},
		{0.95, 0.97, decide.Pass}, // not the candidate's doing
		{0.4, math.NaN(), decide.Pass},
		{math.NaN(), 0.97, decide.Pass},
	} {
		sound.Resources = []decide.Resource{{Name: "processor", Baseline: c.baseline, Candidate: c.candidate}}
		require.Equal(t, c.want, sound.Judge().Verdict, "%+v", c)
	}
	worse := one(decide.Period{Baseline: decide.Tally{Bad: 90, Requests: 90000}, Candidate: decide.Tally{Bad: 500, Requests: 10000}})
	worse.Resources = []decide.Resource{{Name: "processor", Baseline: 0.4, Candidate: 0.97}}
	require.Equal(t, decide.Fail, worse.Judge().Verdict)
}

func TestWhatItTakesToPassSuffices(t *testing.T) {
	canary := one(decide.Period{Baseline: decide.Tally{Requests: 10000}, Candidate: decide.Tally{Requests: 1000}})
	canary.Watched = 10 * time.Minute
	now := canary.Judge()
	require.Equal(t, decide.Inconclusive, now.Verdict)
	require.Positive(t, now.NeededRequests)
	grown := (1000 + now.NeededRequests) / 1000
	p := &canary.Signals[0].Periods[0]
	p.Baseline, p.Candidate = decide.Tally{Requests: 10000 * grown}, decide.Tally{Requests: 1000 * grown}
	require.Equal(t, decide.Pass, canary.Judge().Verdict)
	require.InDelta(t, float64(10*time.Minute)*(grown-1), float64(now.Needed), 1e6)
}

func TestAShareThatGrowsIsNoDifference(t *testing.T) {
	// Errors are rare while the canary is small, and frequent when it is large.
	canary := one(
		decide.Period{Baseline: decide.Tally{Bad: 10, Requests: 9900}, Candidate: decide.Tally{Requests: 100}},
		decide.Period{Baseline: decide.Tally{Bad: 50, Requests: 1000}, Candidate: decide.Tally{Bad: 450, Requests: 9000}})
	require.Less(t, canary.Judge().Signals[0].Evidence, 2.0)
}

func TestPowerGrowsWithTheShareAndAgreesWithTheSimulation(t *testing.T) {
	var last float64
	for _, share := range []float64{0.01, 0.05, 0.1, 0.25} {
		power := decide.Power(36000, share, 0.002, 3, 100)
		require.Greater(t, power, last)
		last = power
	}
	require.Greater(t, decide.Power(360000, 0.1, 0.002, 3, 100), 0.99)
	require.Zero(t, decide.Power(1000, 0, 0.1, 3, 100))
	steps := decide.Steps(36000, 0.002, 100)
	require.Equal(t, 0.01, steps[0].Share)
	require.Equal(t, decide.Power(36000, 0.01, 0.002, 3, 100), steps[0].Power)
}

func TestJudgementsAreFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64()
		var periods []decide.Period
		for range rapid.IntRange(0, 4).Draw(t, "periods") {
			periods = append(periods, decide.Period{
				Baseline:  decide.Tally{Bad: number.Draw(t, "bad"), Requests: number.Draw(t, "requests")},
				Candidate: decide.Tally{Bad: number.Draw(t, "bad"), Requests: number.Draw(t, "requests")}})
		}
		got := one(periods...).Judge()
		require.GreaterOrEqual(t, got.Score, 0.0)
		require.LessOrEqual(t, got.Score, 100.0)
		for _, signal := range got.Signals {
			for _, value := range []float64{signal.Evidence, signal.Sound} {
				require.False(t, math.IsNaN(value) || math.IsInf(value, 0), "%+v", signal)
			}
		}
	})
}
