package canary_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

const looks = 60 // each half a minute

// simulate draws the periods of a rollout: a tenth of 200 requests per second.
func simulate(seed uint64, baseline, candidate float64) (periods []canary.Period) {
	source := rand.NewPCG(seed, 1)
	draw := func(requests, rate float64) canary.Tally {
		return canary.Tally{Requests: requests, Bad: distuv.Binomial{N: requests, P: rate, Src: source}.Rand()}
	}
	for range looks {
		share := 600 + 60*rand.New(source).NormFloat64()
		share = math.Round(share)
		periods = append(periods, canary.Period{Baseline: draw(6000-share, baseline), Candidate: draw(share, candidate)})
	}
	return periods
}

// firstFailure is the look that fails the canary; 0 for none.
func firstFailure(periods []canary.Period, beside ...canary.Signal) int {
	for look := 1; look <= len(periods); look++ {
		trial := one(periods[:look]...)
		trial.Signals = append(trial.Signals, beside...)
		if trial.Judge().Verdict == canary.Fail {
			return look
		}
	}
	return 0
}

func one(periods ...canary.Period) canary.Canary {
	return canary.Canary{Signals: []canary.Signal{{Name: "errors", Critical: true, Margin: 0.001, Periods: periods}}}
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
	failed := func(quarters []canary.Period) bool {
		for look := 1; look <= len(quarters); look++ {
			var periods []canary.Period
			for end := look; end > 0; end -= perMinute {
				var p canary.Period
				for _, q := range quarters[max(0, end-perMinute):end] {
					p.Baseline.Requests, p.Baseline.Bad = p.Baseline.Requests+q.Baseline.Requests, p.Baseline.Bad+q.Baseline.Bad
					p.Candidate.Requests, p.Candidate.Bad = p.Candidate.Requests+q.Candidate.Requests, p.Candidate.Bad+q.Candidate.Bad
				}
				periods = append(periods, p)
			}
			if one(periods...).Judge().Verdict == canary.Fail {
				return true
			}
		}
		return false
	}
	var rolledBack int
	for seed := range uint64(1000) {
		source := rand.NewPCG(seed, 2)
		draw := func(requests float64) canary.Tally {
			return canary.Tally{Requests: requests, Bad: distuv.Binomial{N: requests, P: 0.002, Src: source}.Rand()}
		}
		var quarters []canary.Period
		for range minutes * perMinute {
			share := math.Round(300 + 30*rand.New(source).NormFloat64())
			quarters = append(quarters, canary.Period{Baseline: draw(3000 - share), Candidate: draw(share)})
		}
		if failed(quarters) {
			rolledBack++
		}
	}
	t.Logf("%d of 1000 rolled back in %d looks", rolledBack, minutes*perMinute)
	require.LessOrEqual(t, rolledBack, 10)
}

func TestThreefoldErrorsAreFoundInMinutes(t *testing.T) {
	for name, beside := range map[string][]canary.Signal{"alone": nil, "beside three signals of latency": make([]canary.Signal, 3)} {
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
		canary canary.Canary
		want   canary.Verdict
	}{
		"30 % of samples a hundred times worse": {one(canary.Period{
			Baseline: canary.Tally{Bad: 10, Requests: 1000}, Candidate: canary.Tally{Bad: 300, Requests: 1000}}), canary.Fail},
		"no errors in the baseline, a failing canary": {one(canary.Period{
			Baseline: canary.Tally{Requests: 5000}, Candidate: canary.Tally{Bad: 20, Requests: 500}}), canary.Fail},
		"no errors in the baseline, a few in the canary's first seconds": {one(canary.Period{
			Baseline: canary.Tally{Requests: 470}, Candidate: canary.Tally{Bad: 3.2, Requests: 4.3}}), canary.Inconclusive},
		"no errors at all": {one(canary.Period{
			Baseline: canary.Tally{Requests: 100000}, Candidate: canary.Tally{Requests: 10000}}), canary.Pass},
		"no traffic":       {one(), canary.Inconclusive},
		"no signal":        {canary.Canary{}, canary.Inconclusive},
		"only one version": {one(canary.Period{Candidate: canary.Tally{Requests: 1e6}}), canary.Inconclusive},
		"too few to pass":  {one(canary.Period{Baseline: canary.Tally{Requests: 1e6}, Candidate: canary.Tally{Requests: 500}}), canary.Inconclusive},
		"counts that lie":  {one(canary.Period{Baseline: canary.Tally{Bad: math.NaN(), Requests: 9}, Candidate: canary.Tally{Bad: 9, Requests: -1}}), canary.Inconclusive},
		"worse, and fewer than the margin": {one(canary.Period{
			Baseline: canary.Tally{Bad: 100, Requests: 1e6}, Candidate: canary.Tally{Bad: 300, Requests: 1e6}}), canary.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.canary.Judge()
			require.Equal(t, test.want, got.Verdict, "%+v", got)
			require.NotEmpty(t, got.Reason)
			band := map[canary.Verdict][2]float64{canary.Fail: {0, 74.9}, canary.Inconclusive: {75, 94.9}, canary.Pass: {95, 100}}[got.Verdict]
			require.GreaterOrEqual(t, got.Score, band[0])
			require.LessOrEqual(t, got.Score, band[1])
		})
	}
}

func TestTracesAreCritical(t *testing.T) {
	trial := one(canary.Period{Baseline: canary.Tally{Requests: 1e5}, Candidate: canary.Tally{Requests: 1e4}})
	for traces, want := range map[diff.Verdict]canary.Verdict{
		diff.Regressed: canary.Fail, diff.Insufficient: canary.Inconclusive, diff.NoChange: canary.Pass, "": canary.Pass,
	} {
		trial.Traces = traces
		require.Equal(t, want, trial.Judge().Verdict, traces)
	}
}

func TestAFullResourceHoldsAndFailsNothing(t *testing.T) {
	sound := one(canary.Period{Baseline: canary.Tally{Bad: 900, Requests: 900000}, Candidate: canary.Tally{Bad: 100, Requests: 100000}})
	require.Equal(t, canary.Pass, sound.Judge().Verdict)
	for _, c := range []struct {
		baseline, candidate float64
		want                canary.Verdict
	}{
		{0.4, 0.97, canary.Inconclusive},
		{0.85, 0.89, canary.Pass},
		{0.95, 0.97, canary.Pass}, // not the candidate's doing
		{0.4, math.NaN(), canary.Pass},
		{math.NaN(), 0.97, canary.Pass},
	} {
		sound.Resources = []canary.Resource{{Name: "processor", Baseline: c.baseline, Candidate: c.candidate}}
		require.Equal(t, c.want, sound.Judge().Verdict, "%+v", c)
	}
	worse := one(canary.Period{Baseline: canary.Tally{Bad: 90, Requests: 90000}, Candidate: canary.Tally{Bad: 500, Requests: 10000}})
	worse.Resources = []canary.Resource{{Name: "processor", Baseline: 0.4, Candidate: 0.97}}
	require.Equal(t, canary.Fail, worse.Judge().Verdict)
}

func TestWhatItTakesToPassSuffices(t *testing.T) {
	trial := one(canary.Period{Baseline: canary.Tally{Requests: 10000}, Candidate: canary.Tally{Requests: 1000}})
	trial.Watched = 10 * time.Minute
	now := trial.Judge()
	require.Equal(t, canary.Inconclusive, now.Verdict)
	require.Positive(t, now.NeededRequests)
	grown := (1000 + now.NeededRequests) / 1000
	p := &trial.Signals[0].Periods[0]
	p.Baseline, p.Candidate = canary.Tally{Requests: 10000 * grown}, canary.Tally{Requests: 1000 * grown}
	require.Equal(t, canary.Pass, trial.Judge().Verdict)
	require.InDelta(t, float64(10*time.Minute)*(grown-1), float64(now.Needed), 1e6)
}

func TestAShareThatGrowsIsNoDifference(t *testing.T) {
	// Errors are rare while the canary is small, and frequent when it is large.
	trial := one(
		canary.Period{Baseline: canary.Tally{Bad: 10, Requests: 9900}, Candidate: canary.Tally{Requests: 100}},
		canary.Period{Baseline: canary.Tally{Bad: 50, Requests: 1000}, Candidate: canary.Tally{Bad: 450, Requests: 9000}})
	require.Less(t, trial.Judge().Signals[0].Evidence, 2.0)
}

func TestPowerGrowsWithTheShareAndAgreesWithTheSimulation(t *testing.T) {
	var last float64
	for _, share := range []float64{0.01, 0.05, 0.1, 0.25} {
		power := canary.Power(36000, share, 0.002, 3, 100)
		require.Greater(t, power, last)
		last = power
	}
	require.Greater(t, canary.Power(360000, 0.1, 0.002, 3, 100), 0.99)
	require.Zero(t, canary.Power(1000, 0, 0.1, 3, 100))
	steps := canary.Steps(36000, 0.002, 100)
	require.Equal(t, 0.01, steps[0].Share)
	require.Equal(t, canary.Power(36000, 0.01, 0.002, 3, 100), steps[0].Power)
}

func TestJudgementsAreFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64()
		var periods []canary.Period
		for range rapid.IntRange(0, 4).Draw(t, "periods") {
			periods = append(periods, canary.Period{
				Baseline:  canary.Tally{Bad: number.Draw(t, "bad"), Requests: number.Draw(t, "requests")},
				Candidate: canary.Tally{Bad: number.Draw(t, "bad"), Requests: number.Draw(t, "requests")}})
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
