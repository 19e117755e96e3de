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

const looks = 60 // each a minute

// traffic draws the counts of pods: 20 requests a second each, of which so many
// go wrong; lasting is the deviation of the logarithm of a pod's rate.
type traffic struct {
	source  *rand.PCG
	rate    float64
	cluster float64 // errors come by so many
	lasting float64
}

func newTraffic(seed uint64, t traffic) *traffic {
	t.source = rand.NewPCG(seed, 1)
	t.cluster = max(1, t.cluster)
	return &t
}

func (t *traffic) pods(n, minutes int, candidate bool, times float64) (groups []canary.Group) {
	random := rand.New(t.source)
	for i := range n {
		g := canary.Group{Candidate: candidate, Pod: string(rune('a' + i))}
		rate := times * t.rate * math.Exp(t.lasting*random.NormFloat64())
		for range minutes {
			requests := math.Round(1200 * (1 + 0.1*random.NormFloat64()))
			bad := t.cluster * distuv.Binomial{N: requests, P: rate / t.cluster, Src: t.source}.Rand()
			g.Periods = append(g.Periods, canary.Tally{Bad: min(bad, requests), Requests: requests})
		}
		groups = append(groups, g)
	}
	return groups
}

// firstFailure is the look that fails a canary of some pods beside nine; 0 for
// none. Its errors are so many times as frequent.
func firstFailure(t *traffic, pods int, times float64, beside ...canary.Signal) int {
	noise := canary.Learn(t.pods(10, 240, false, 1))
	groups := append(t.pods(9, looks, false, 1), t.pods(pods, looks, true, times)...)
	for look := 1; look <= looks; look++ {
		signal := canary.Signal{Name: "errors", Critical: true, Margin: 0.001, Noise: noise}
		for _, g := range groups {
			g.Periods = g.Periods[:look]
			signal.Groups = append(signal.Groups, g)
		}
		if (canary.Canary{Signals: append([]canary.Signal{signal}, beside...)}).Judge().Verdict == canary.Fail {
			return look
		}
	}
	return 0
}

func one(periods ...canary.Period) canary.Canary {
	return canary.Canary{Signals: []canary.Signal{{Name: "errors", Critical: true, Margin: 0.001, Periods: periods}}}
}

// known is a canary with a past of the baseline, in which two of a thousand
// requests fail.
func known(periods ...canary.Period) canary.Canary {
	past := canary.Group{}
	for i := range 360 {
		past.Periods = append(past.Periods, canary.Tally{Bad: float64(18 + 8*(i%2)), Requests: 11000})
	}
	trial := one(periods...)
	trial.Signals[0].Noise = canary.Learn([]canary.Group{past})
	return trial
}

// spread cuts counts into so many equal periods.
func spread(p canary.Period, n int) (periods []canary.Period) {
	part := func(t canary.Tally) canary.Tally {
		return canary.Tally{Bad: t.Bad / float64(n), Requests: t.Requests / float64(n)}
	}
	for range n {
		periods = append(periods, canary.Period{Baseline: part(p.Baseline), Candidate: part(p.Candidate)})
	}
	return periods
}

func TestHarmlessVersionsAreRarelyRolledBack(t *testing.T) {
	for name, world := range map[string]traffic{
		"independent errors":  {rate: 0.002},
		"clusters of ten":     {rate: 0.002, cluster: 10},
		"pods that differ":    {rate: 0.002, lasting: 0.4},
		"clusters, and pods ": {rate: 0.01, lasting: 0.3, cluster: 4},
	} {
		t.Run(name, func(t *testing.T) {
			const runs = 150
			var rolledBack int
			for seed := range uint64(runs) {
				if firstFailure(newTraffic(seed, world), 1, 1) > 0 {
					rolledBack++
				}
			}
			t.Logf("%d of %d rolled back in %d looks", rolledBack, runs, looks)
			require.LessOrEqual(t, rolledBack, runs/50)
		})
	}
}

func TestThreefoldErrorsAreFoundInMinutes(t *testing.T) {
	for name, beside := range map[string][]canary.Signal{"alone": nil, "beside three signals of latency": make([]canary.Signal, 3)} {
		t.Run(name, func(t *testing.T) {
			var found []int
			const runs = 100
			for seed := range uint64(runs) {
				if look := firstFailure(newTraffic(seed, traffic{rate: 0.002}), 1, 3, beside...); look > 0 {
					found = append(found, look)
				}
			}
			slices.Sort(found)
			require.GreaterOrEqual(t, len(found), runs*99/100)
			require.LessOrEqual(t, found[len(found)/2], 8)
		})
	}
}

// TestAServiceWithLittleTrafficFailsForGood: all requests of the canary are slow,
// three in a period, beside a few of the baseline's. A bad request more or less
// of the baseline takes no failure back.
func TestAServiceWithLittleTrafficFailsForGood(t *testing.T) {
	var judged, failed int
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 2))
		trial := canary.Canary{Period: 10 * time.Second, Signals: make([]canary.Signal, 3)}
		signal := canary.Signal{Name: "slow", Critical: true, Margin: 0.005, Starting: 0.5}
		for range 36 {
			p := canary.Period{Baseline: canary.Tally{Requests: float64(2 + random.IntN(5))}}
			p.Candidate.Requests = float64(2 + random.IntN(5))
			p.Candidate.Bad = p.Candidate.Requests
			for range int(p.Baseline.Requests) {
				if random.Float64() < 0.015 {
					p.Baseline.Bad++
				}
			}
			if signal.Periods = append(signal.Periods, p); len(signal.Periods) < 9 {
				continue
			}
			judged++
			trial.Signals[0] = signal
			if trial.Judge().Verdict == canary.Fail {
				failed++
			}
		}
	}
	t.Logf("%d of %d looks fail it", failed, judged)
	require.GreaterOrEqual(t, failed, judged*98/100)
}

// TestOnePodIsNotAVersion: where pods of one version differ, one pod that is
// three times worse proves nothing, and the verdict says what would; ten do.
func TestOnePodIsNotAVersion(t *testing.T) {
	world := traffic{rate: 0.01, lasting: 0.4}
	judge := func(pods int) canary.Judgement {
		random := newTraffic(3, world)
		noise := canary.Learn(random.pods(10, 240, false, 1))
		random.lasting = 0
		groups := append(random.pods(10, looks, false, 1), random.pods(pods, looks, true, 3)...)
		return canary.Canary{Signals: []canary.Signal{{Name: "errors", Critical: true, Margin: 0.001, Noise: noise, Groups: groups}}}.Judge()
	}
	single := judge(1)
	require.Equal(t, canary.Inconclusive, single.Verdict, "%+v", single)
	require.Contains(t, single.Reason, "cannot be told from its pods: it takes about")
	require.Equal(t, canary.Fail, judge(10).Verdict)
}

// TestAStartIsExcusedFromFailingOnly: a version may fail more while it starts,
// but not a tenth of its requests; and what it failed then counts against a pass.
func TestAStartIsExcusedFromFailingOnly(t *testing.T) {
	steady := canary.Period{Baseline: canary.Tally{Bad: 22, Requests: 10800}, Candidate: canary.Tally{Bad: 2, Requests: 1200}}
	start := func(bad float64) canary.Period {
		return canary.Period{Baseline: steady.Baseline, Candidate: canary.Tally{Bad: bad, Requests: 1200}}
	}
	harmless := slices.Repeat([]canary.Period{steady}, 20)
	for look := 1; look <= len(harmless); look++ {
		cold := append([]canary.Period{start(36)}, harmless[:look-1]...)
		require.Equal(t, canary.Inconclusive, one(cold...).Judge().Verdict, look)
		require.Equal(t, canary.Inconclusive, known(cold...).Judge().Verdict, look)
	}
	broken := one(start(130)).Judge()
	require.Equal(t, canary.Fail, broken.Verdict, "%+v", broken)
	require.Equal(t, canary.Fail, one(append([]canary.Period{start(130)}, harmless...)...).Judge().Verdict, "it is not taken back")

	long := slices.Repeat([]canary.Period{steady}, 60)
	without, with := one(long...).Judge().Signals[0].Sound, one(append([]canary.Period{start(36)}, long[1:]...)...).Judge().Signals[0].Sound
	require.Less(t, with, without/10)
}

// TestBurstsProveNothing: a canary's pod has the bad minutes that every pod has,
// and two bad minutes out of thirty are no version.
func TestBurstsProveNothing(t *testing.T) {
	random := newTraffic(5, traffic{rate: 0.002})
	burst := func(groups []canary.Group, minutes ...int) []canary.Group {
		for _, m := range minutes {
			groups[0].Periods[m].Bad = 240
		}
		return groups
	}
	past := burst(random.pods(10, 240, false, 1), 50, 120, 200)
	groups := append(random.pods(9, 30, false, 1), burst(random.pods(1, 30, true, 1), 10, 11)...)
	signal := canary.Signal{Name: "errors", Critical: true, Margin: 0.001, Groups: groups, Noise: canary.Learn(past)}
	require.NotEqual(t, canary.Fail, canary.Canary{Signals: []canary.Signal{signal}}.Judge().Verdict)
	for i := range 30 {
		groups[9].Periods[i].Bad = 240
	}
	require.Equal(t, canary.Fail, canary.Canary{Signals: []canary.Signal{signal}}.Judge().Verdict)
}

// TestAnIncidentOfTheBaseline: while a third of the baseline is out, a canary
// that is wholly out may be in that third.
func TestAnIncidentOfTheBaseline(t *testing.T) {
	calm := canary.Period{Baseline: canary.Tally{Bad: 20, Requests: 10000}, Candidate: canary.Tally{Bad: 2, Requests: 1000}}
	out := canary.Period{Baseline: canary.Tally{Bad: 3350, Requests: 10000}, Candidate: canary.Tally{Bad: 1000, Requests: 1000}}
	periods := slices.Concat(slices.Repeat([]canary.Period{calm}, 20), []canary.Period{out, out}, slices.Repeat([]canary.Period{calm}, 5))
	require.NotEqual(t, canary.Fail, one(periods...).Judge().Verdict)
	require.NotEqual(t, canary.Fail, one(periods[20:]...).Judge().Verdict, "also where it begins so")
	require.NotEqual(t, canary.Fail, known(slices.Concat(periods[:5], slices.Repeat([]canary.Period{out}, 4))...).Judge().Verdict)
	calm.Candidate = canary.Tally{Bad: 1000, Requests: 1000}
	require.Equal(t, canary.Fail, known(slices.Concat(periods[:5], []canary.Period{calm})...).Judge().Verdict, "without an incident")
}

// TestSimpson: pooled, the canary looks better, since it had little traffic
// during an incident of both; it is twice as bad in every minute.
func TestSimpson(t *testing.T) {
	var periods []canary.Period
	for minute := range 60 {
		share, rate := min(0.5, 0.05+0.01*float64(minute)), 0.002
		if minute < 10 {
			rate = 0.3
		}
		periods = append(periods, canary.Period{
			Baseline:  canary.Tally{Bad: rate * 20000 * (1 - share), Requests: 20000 * (1 - share)},
			Candidate: canary.Tally{Bad: 2 * rate * 20000 * share, Requests: 20000 * share}})
	}
	got := one(periods...).Judge()
	require.Less(t, got.Signals[0].Candidate.Rate(), got.Signals[0].Baseline.Rate())
	require.Equal(t, canary.Fail, got.Verdict, "%+v", got)
	require.Less(t, got.Signals[0].Sound, 1.0)
}

// TestAnotherMixIsNoRegression: the canary serves more of an endpoint that fails
// more; each endpoint is as it was.
func TestAnotherMixIsNoRegression(t *testing.T) {
	part := func(candidate bool, endpoint string, requests, rate float64) canary.Group {
		g := canary.Group{Candidate: candidate, Endpoint: endpoint}
		for range 40 {
			g.Periods = append(g.Periods, canary.Tally{Bad: math.Round(rate * requests), Requests: requests})
		}
		return g
	}
	groups := []canary.Group{
		part(false, "a", 9000, 0.001), part(true, "a", 500, 0.002), part(false, "b", 1000, 0.1), part(true, "b", 500, 0.1),
	}
	groups[1].Periods = groups[0].Periods // as the baseline
	signal := canary.Signal{Name: "errors", Critical: true, Margin: 0.001, Groups: groups}
	got := canary.Canary{Signals: []canary.Signal{signal}}.Judge()
	require.NotEqual(t, canary.Fail, got.Verdict, "%+v", got)
	require.InDelta(t, 0, got.Signals[0].Excess, 1e-4)
	for i := range groups {
		groups[i].Endpoint = ""
	}
	require.Greater(t, canary.Canary{Signals: []canary.Signal{signal}}.Judge().Signals[0].Excess, -1.0)
}

// TestZonesAreComparedWithin: a zone that is out is out for both versions.
func TestZonesAreComparedWithin(t *testing.T) {
	part := func(candidate bool, zone string, rate float64) canary.Group {
		g := canary.Group{Candidate: candidate, Zone: zone}
		for range 10 {
			g.Periods = append(g.Periods, canary.Tally{Bad: rate * 1000, Requests: 1000})
		}
		return g
	}
	signal := canary.Signal{Name: "errors", Critical: true, Margin: 0.001,
		Groups: []canary.Group{part(false, "a", 0.5), part(false, "b", 0.001), part(false, "c", 0.001), part(true, "a", 0.5)}}
	got := canary.Canary{Signals: []canary.Signal{signal}}.Judge().Signals[0]
	require.Equal(t, canary.Tally{Bad: 5000, Requests: 10000}, got.Baseline)
	require.Zero(t, got.Excess)
}

// TestTheErrorIsSharedBySignals: what suffices for one signal does not for one
// of four.
func TestTheErrorIsSharedBySignals(t *testing.T) {
	var found bool
	for bad := 10.0; bad < 120; bad += 0.5 {
		trial := one(spread(canary.Period{Baseline: canary.Tally{Bad: 200, Requests: 100000}, Candidate: canary.Tally{Bad: bad, Requests: 10000}}, 40)...)
		got := trial.Judge().Signals[0]
		require.Equal(t, 100.0, got.Threshold)
		trial.Signals = append(trial.Signals, make([]canary.Signal, 3)...)
		beside := trial.Judge().Signals[0]
		require.Equal(t, 400.0, beside.Threshold)
		require.Equal(t, got.Evidence, beside.Evidence)
		found = found || got.Verdict == canary.Fail && beside.Verdict == canary.Inconclusive
		if got.Verdict == canary.Inconclusive {
			require.Less(t, got.Evidence, 100.0)
		}
	}
	require.True(t, found)
}

// TestWhatAPassTakes: evidence of a hundred, and a thousand requests, each of
// which is missing once.
func TestWhatAPassTakes(t *testing.T) {
	judge := func(requests, margin float64) canary.SignalJudgement {
		trial := one(spread(canary.Period{Baseline: canary.Tally{Requests: 10 * requests}, Candidate: canary.Tally{Requests: requests}}, 10)...)
		trial.Signals[0].Margin = margin
		return trial.Judge().Signals[0]
	}
	few := judge(999, 0.1)
	require.Greater(t, few.Sound, 100.0)
	require.Equal(t, canary.Inconclusive, few.Verdict)
	require.Equal(t, canary.Pass, judge(1000, 0.1).Verdict)
	weak := judge(5000, 0.001)
	require.Greater(t, weak.Sound, 10.0)
	require.Less(t, weak.Sound, 100.0)
	require.Equal(t, canary.Inconclusive, weak.Verdict)
}

// TestSoundnessTakesTheBaselineAtItsBest: the fewer bad requests the baseline has
// had, the less is a canary's rate excused by them.
func TestSoundnessTakesTheBaselineAtItsBest(t *testing.T) {
	judge := func(times float64) float64 {
		return one(spread(canary.Period{Baseline: canary.Tally{Bad: 5 * times, Requests: 1000 * times}, Candidate: canary.Tally{Bad: 4, Requests: 2000}}, 10)...).Judge().Signals[0].Sound
	}
	require.Greater(t, judge(100), 3.0)
	require.Less(t, judge(1), 2.0) // the limit is 0.0025 + 0.001, where the rate is 0.005
}

func TestFewBadRequestsProveNothing(t *testing.T) {
	period := func(bad float64) canary.Period {
		return canary.Period{Baseline: canary.Tally{Bad: 1, Requests: 500}, Candidate: canary.Tally{Bad: bad, Requests: bad}}
	}
	require.Equal(t, canary.Inconclusive, known(period(4.9)).Judge().Verdict)
	require.Equal(t, canary.Fail, known(period(5)).Judge().Verdict)
}

func TestOnlyCriticalSignalsFail(t *testing.T) {
	trial := one(spread(canary.Period{Baseline: canary.Tally{Bad: 100, Requests: 100000}, Candidate: canary.Tally{Bad: 500, Requests: 10000}}, 10)...)
	require.Equal(t, canary.Fail, trial.Judge().Verdict)
	slow := canary.Signal{Name: "slow", Margin: 0.01, Periods: []canary.Period{{Baseline: canary.Tally{Requests: 1000}, Candidate: canary.Tally{Requests: 100}}}}
	trial.Signals = append(trial.Signals, slow)
	failed := trial.Judge()
	require.Equal(t, canary.Fail, failed.Verdict)
	require.Zero(t, failed.NeededRequests, "nothing more is needed")
	require.Zero(t, failed.Needed)
	trial.Signals = trial.Signals[:1]
	none := one().Judge().Signals[0]
	require.Equal(t, [2]float64{1, 1}, [2]float64{none.Evidence, none.Sound})
	trial.Signals[0].Critical = false
	got := trial.Judge()
	require.Equal(t, canary.Inconclusive, got.Verdict)
	require.Equal(t, canary.Fail, got.Signals[0].Verdict)
}

func TestPublishedCounterexamples(t *testing.T) {
	for name, test := range map[string]struct {
		canary canary.Canary
		want   canary.Verdict
	}{
		"30 % of samples a hundred times worse": {one(spread(canary.Period{
			Baseline: canary.Tally{Bad: 10, Requests: 1000}, Candidate: canary.Tally{Bad: 300, Requests: 1000}}, 5)...), canary.Fail},
		"no errors in the baseline, a failing canary": {one(spread(canary.Period{
			Baseline: canary.Tally{Requests: 5000}, Candidate: canary.Tally{Bad: 40, Requests: 500}}, 10)...), canary.Fail},
		"no errors in the baseline, a few in the canary's first seconds": {one(canary.Period{
			Baseline: canary.Tally{Requests: 470}, Candidate: canary.Tally{Bad: 3.2, Requests: 4.3}}), canary.Inconclusive},
		"no errors at all": {one(canary.Period{
			Baseline: canary.Tally{Requests: 100000}, Candidate: canary.Tally{Requests: 10000}}), canary.Pass},
		"no traffic":       {one(), canary.Inconclusive},
		"no signal":        {canary.Canary{}, canary.Inconclusive},
		"only one version": {one(canary.Period{Candidate: canary.Tally{Requests: 1e6}}), canary.Inconclusive},
		"too few to pass":  {one(canary.Period{Baseline: canary.Tally{Requests: 1e6}, Candidate: canary.Tally{Requests: 500}}), canary.Inconclusive},
		"counts that lie":  {one(canary.Period{Baseline: canary.Tally{Bad: math.NaN(), Requests: 9}, Candidate: canary.Tally{Bad: 9, Requests: -1}}), canary.Inconclusive},
		"worse, and fewer than the margin": {one(spread(canary.Period{
			Baseline: canary.Tally{Bad: 100, Requests: 1e6}, Candidate: canary.Tally{Bad: 300, Requests: 1e6}}, 20)...), canary.Pass},
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

// TestTracesHoldAndFailNothing: they are tested anew at every look.
func TestTracesHoldAndFailNothing(t *testing.T) {
	trial := one(canary.Period{Baseline: canary.Tally{Requests: 1e5}, Candidate: canary.Tally{Requests: 1e4}})
	for traces, want := range map[diff.Verdict]canary.Verdict{
		diff.Regressed: canary.Inconclusive, diff.Insufficient: canary.Inconclusive, diff.NoChange: canary.Pass, "": canary.Pass,
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
	worse := one(spread(canary.Period{Baseline: canary.Tally{Bad: 90, Requests: 90000}, Candidate: canary.Tally{Bad: 500, Requests: 10000}}, 10)...)
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

// TestOneOfSeveralPodsIsNotAVersion: one of three pods is ten times worse, the
// others are as the baseline; where all are worse, so is the version.
func TestOneOfSeveralPodsIsNotAVersion(t *testing.T) {
	judge := func(worse int) canary.Judgement {
		random := newTraffic(7, traffic{rate: 0.002})
		noise := canary.Learn(random.pods(10, 240, false, 1))
		groups := append(random.pods(7, 40, false, 1), random.pods(3, 40, true, 1)...)
		for i := range worse {
			for at := range groups[7+i].Periods {
				groups[7+i].Periods[at].Bad = 24
			}
		}
		return canary.Canary{Signals: []canary.Signal{{Name: "errors", Critical: true, Margin: 0.001, Noise: noise, Groups: groups}}}.Judge()
	}
	single := judge(1)
	require.Equal(t, canary.Inconclusive, single.Verdict, "%+v", single)
	require.Contains(t, single.Reason, "one pod of the candidate is worse, and the others do not show it")
	require.Equal(t, canary.Fail, judge(2).Verdict)
	require.Equal(t, canary.Fail, judge(3).Verdict)
}

// TestAPodThatIsWorseForAWhile has a noisy neighbour for twenty minutes; a version
// stays so.
func TestAPodThatIsWorseForAWhile(t *testing.T) {
	judge := func(seed uint64, from, to, minutes int) canary.Judgement {
		random := newTraffic(seed, traffic{rate: 0.002})
		noise := canary.Learn(random.pods(10, 240, false, 1))
		groups := append(random.pods(9, minutes, false, 1), random.pods(1, minutes, true, 1)...)
		for at := from; at < min(to, minutes); at++ {
			groups[9].Periods[at].Bad = 6
		}
		return canary.Canary{Signals: []canary.Signal{{Name: "errors", Critical: true, Margin: 0.001, Noise: noise, Groups: groups}}}.Judge()
	}
	var failed int
	for seed := range uint64(25) {
		for _, minutes := range []int{22, 28, 34, 46, 58} {
			if judge(seed, 15, 35, minutes).Verdict == canary.Fail {
				failed++
				break
			}
		}
	}
	require.LessOrEqual(t, failed, 5, "all but a few, whose other minutes were bad by chance")
	held := judge(2, 15, 35, 34)
	require.Contains(t, held.Reason, "worse for a part of its time", "%+v", held)
	require.Equal(t, canary.Fail, judge(2, 0, 60, 30).Verdict)
	require.Equal(t, canary.Fail, judge(2, 20, 70, 62).Verdict, "it has been worse for forty minutes")
}

// TestWhatIsLessThanTheMarginFailsNothing: on every pod twice as many requests go
// wrong, beyond doubt, and these are four in ten thousand more.
func TestWhatIsLessThanTheMarginFailsNothing(t *testing.T) {
	judge := func(margin float64) canary.Verdict {
		signal := canary.Signal{Name: "errors", Critical: true, Margin: margin}
		for _, candidate := range []bool{false, true} {
			for i := range 10 {
				bad := map[bool]float64{false: 12, true: 24}[candidate]
				g := canary.Group{Candidate: candidate, Pod: string(rune('a' + i))}
				for range 60 {
					g.Periods = append(g.Periods, canary.Tally{Bad: bad, Requests: 30000})
				}
				signal.Groups = append(signal.Groups, g)
			}
		}
		return canary.Canary{Signals: []canary.Signal{signal}}.Judge().Verdict
	}
	require.Equal(t, canary.Fail, judge(0.0003))
	require.Equal(t, canary.Pass, judge(0.0005))
}
