package canary

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// counts are periods with so many bad requests of the same number.
func counts(requests float64, bad ...float64) (periods []Tally) {
	for _, b := range bad {
		periods = append(periods, Tally{Bad: b, Requests: requests})
	}
	return periods
}

func steady(n int, requests, bad float64) []Tally {
	var all []float64
	for range n {
		all = append(all, bad)
	}
	return counts(requests, all...)
}

func TestDispersionOfNeighbouringPeriods(t *testing.T) {
	// Five of thirty more than the half that is expected, squared, over 30/4.
	dispersion, pairs := pairedDispersion(counts(100, 10, 20), 1)
	require.InDelta(t, 25/7.5, dispersion, 1e-12)
	require.Equal(t, 1.0, pairs)
	dispersion, pairs = pairedDispersion(counts(100, 4, 6, 10, 10), 2)
	require.InDelta(t, 25/7.5, dispersion, 1e-12)
	require.Equal(t, 1.0, pairs)
	dispersion, pairs = pairedDispersion(counts(100, 0, 0, 0), 1)
	require.Equal(t, [2]float64{1, 0}, [2]float64{dispersion, pairs})

	calm := counts(1000)
	for i := range 100 {
		calm = append(calm, Tally{Bad: 20 + float64(i%2), Requests: 1000})
	}
	before, _ := pairedDispersion(calm, 1)
	calm[50].Bad = 900
	after, _ := pairedDispersion(calm, 1)
	require.InDelta(t, before, after, 0.01, "an incident is no noise")
}

func TestDispersionBetweenPods(t *testing.T) {
	dispersion, bad, freedoms := dispersionBetween([][]Tally{counts(100, 10), counts(100, 20)}, 1)
	require.InDelta(t, 50.0*2/30, dispersion, 1e-12)
	require.Equal(t, [2]float64{15, 1}, [2]float64{bad, freedoms})
	dispersion, _, freedoms = dispersionBetween([][]Tally{counts(100, 10, 500), counts(100, 10, 500)}, 1)
	require.Equal(t, [2]float64{0, 2}, [2]float64{dispersion, freedoms}, "what happens to all at once does not count")
	_, _, freedoms = dispersionBetween([][]Tally{counts(100, 10), nil}, 1)
	require.Zero(t, freedoms)
}

func TestPodsThatDifferForGood(t *testing.T) {
	var groups []Group
	for i, bad := range []float64{10, 10, 30, 30} {
		groups = append(groups, Group{Pod: string(rune('a' + i)), Periods: steady(64, 1000, bad)})
	}
	noise := Learn(groups)
	require.True(t, noise.byPod)
	// The variance of the rates over their square is 1/3; one standard error less.
	require.InDelta(t, 0.3243*(1+6.0/3), noise.spread, 1e-3)
	require.InDelta(t, 20.0/3, noise.dispersion, 1e-9)
	require.InDelta(t, 4000, noise.requests, 1e-9)
}

func TestUsualRateLeavesBadPeriodsOut(t *testing.T) {
	require.InDelta(t, 0.01, usualRate(append(steady(38, 100, 1), counts(100, 50, 50)...)), 1e-12)
	require.Zero(t, usualRate([]Tally{{Requests: 0}}))
}

func TestBurstsAreCounted(t *testing.T) {
	whole := steady(60, 10000, 100)
	whole[30].Bad, whole[31].Bad, whole[50].Bad = 5000, 5100, 4000
	noise := Learn([]Group{{Periods: whole}})
	require.Equal(t, [3]float64{2, 3, 60}, [3]float64{noise.bursts, noise.burstPeriods, noise.exposure})
	require.InDelta(t, 5000, noise.worst, 1e-9)

	var groups []Group
	for i := range 3 {
		groups = append(groups, Group{Pod: string(rune('a' + i)), Periods: steady(60, 1000, 10)})
	}
	groups[1].Periods[20].Bad = 500
	noise = Learn(groups)
	require.Equal(t, [3]float64{1, 1, 180}, [3]float64{noise.bursts, noise.burstPeriods, noise.exposure})
	require.InDelta(t, 0.5-520.0/3000, noise.worst, 1e-9)
}

func TestExcusedPeriods(t *testing.T) {
	none := Noise{byPod: true, exposure: 3600}
	require.Equal(t, 0, none.excused(5, 0, 5))
	require.Equal(t, 2, none.excused(30, 0, 30), "one burst, in two periods")
	often := Noise{byPod: true, exposure: 3600, bursts: 59, burstPeriods: 59}
	require.Equal(t, 10, often.excused(60, 0, 60), "one is expected; more than five are rarer than excusedError")
	often.burstPeriods = 3 * 59
	require.Equal(t, 15, often.excused(60, 0, 60))
	// Where pods are not told apart the candidate has its share, at least a tenth.
	whole := Noise{exposure: 360, bursts: 35, requests: 10000}
	require.Equal(t, whole.excused(0, 1000, 10), whole.excused(0, 10, 10))
	require.Greater(t, whole.excused(0, 10000, 10), whole.excused(0, 1000, 10))
	require.Equal(t, 7, Noise{}.excused(7, 1, 7), "nothing is known")
}

// A period is excused that stands out by four deviations of so dispersed counts.
func TestOnlyWhatStandsOutIsExcused(t *testing.T) {
	evidence := func(strongest float64, excused int) float64 {
		var kept []slice
		for i := range 12 {
			bad := 10.0
			if i == 4 {
				bad = strongest
			}
			kept = append(kept, slice{ratio: 1, cells: []cell{{baseline: Tally{40, 9000}, candidate: Tally{bad, 1000}, ratio: 1}}})
		}
		return worse(kept, 4, excused)
	}
	require.Equal(t, evidence(30, 0), evidence(30, 1))
	require.Less(t, evidence(40, 1), evidence(40, 0)/2)
	require.Equal(t, evidence(10, 0), evidence(40, 1), "it counts as the one after it")
	require.Equal(t, 1.0, evidence(40, 12))
}

func TestLastingDifferences(t *testing.T) {
	require.InDelta(t, 0.09*(1.0/2+1.0/8), Noise{byPod: true, spread: 0.09}.lasting(0.2, 2, 8, 1, 1), 1e-12)
	require.InDelta(t, 0.04*(1.0/2+1.0/8), Noise{byPod: true, spread: 0.01}.lasting(0.2, 2, 8, 1, 1), 1e-12, "what is assumed at least")
	long := Noise{watched: longPast}
	untold := 0.2 * untoldPods * 0.2 * untoldPods
	require.InDelta(t, untold*(1+1.0/9), long.lasting(0.2, 0, 0, 1000, 9000), 1e-12)
	require.InDelta(t, untold*(1.0/5+1.0/5), long.lasting(0.2, 0, 0, 5000, 5000), 1e-12)
	require.InDelta(t, untold*shortPast*shortPast*(1.0/5+1.0/5), Noise{}.lasting(0.2, 0, 0, 5000, 5000), 1e-12, "nothing was watched")
	require.InDelta(t, 0.1*(10+10.0/9), Noise{spread: 0.1, requests: 10000, watched: longPast}.lasting(0.2, 0, 0, 1000, 9000), 1e-12)
	require.InDelta(t, 0.3, Noise{byPod: true, spread: 0.3, watched: longPast}.lasting(0.2, 0, 0, 5000, 5000), 1e-12)
}

// A version whose pods cannot be distinguished drifts: an Ornstein–Uhlenbeck process
// in the logarithm of its rate. The spread is not taken for smaller than it is.
func TestSpreadOfAVersionThatDrifts(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	const deviation, runs = 0.2, 60
	var drifting, steadyOnes []float64
	for range runs {
		var drift, calm []Tally
		state := deviation * random.NormFloat64()
		for range 360 {
			state = 0.95*state + math.Sqrt(1-0.95*0.95)*deviation*random.NormFloat64()
			count := func(mean float64) Tally {
				return Tally{Bad: math.Max(0, math.Round(mean+math.Sqrt(mean)*random.NormFloat64())), Requests: 12000}
			}
			drift, calm = append(drift, count(24*math.Exp(state))), append(calm, count(24))
		}
		drifts, _ := spreadOfVersion(drift)
		steadies, _ := spreadOfVersion(calm)
		drifting, steadyOnes = append(drifting, drifts), append(steadyOnes, steadies)
	}
	slices.Sort(drifting)
	slices.Sort(steadyOnes)
	require.InDelta(t, 1.6*deviation*deviation, drifting[runs/2], deviation*deviation)
	require.Greater(t, drifting[runs/10], deviation*deviation*0.4)
	require.Less(t, steadyOnes[runs*9/10], 0.005)
}

// A rollout whose pods fail a hundredth more at first, ever less over six
// minutes.
func TestAStartIsLearned(t *testing.T) {
	pod := func(name string, from int, start ...float64) Group {
		g := Group{Pod: name, Periods: make([]Tally, from)}
		for age := range 40 {
			bad := 20.0
			if age < len(start) {
				bad += 10000 * start[age]
			}
			g.Periods = append(g.Periods, Tally{Bad: bad, Requests: 10000})
		}
		return g
	}
	profile := []float64{0.01, 0.008, 0.008, 0.004, 0.005}
	got, known := LearnStart([]Group{pod("a", 3, profile...), pod("b", 5, profile...), pod("old", 0)})
	require.True(t, known)
	require.InDeltaSlice(t, []float64{0.015, 0.012, 0.012, 0.00675, 0.00675}, got, 1e-9)
	got, known = LearnStart([]Group{pod("a", 3)})
	require.True(t, known)
	require.Empty(t, got, "a start like the rest")
	wild := pod("a", 3, 0.006)
	for t := 3 + settled; t < len(wild.Periods); t++ {
		wild.Periods[t].Bad = float64(100 * (t % 2))
	}
	got, _ = LearnStart([]Group{wild})
	require.Empty(t, got, "later periods vary as much")
	_, known = LearnStart([]Group{pod("old", 0)})
	require.False(t, known)

	s := Signal{Start: []float64{0.01, 0.5}}
	require.InDelta(t, 6, s.startRatio(0, 0.002), 1e-9)
	require.InDelta(t, 21, s.startRatio(1, 0.002), 1e-9, "no more than what is tolerated of any start")
	require.Equal(t, 1.0, s.startRatio(2, 0.002))
	require.Equal(t, 1.0, s.startRatio(0, 0))
}

func TestThePastOutweighsWhatIsAssumed(t *testing.T) {
	past := Noise{past: true, periods: 90, dispersion: 4}
	got := past.with(steady(3, 100, 0), nil)
	require.InDelta(t, (4*90+assumedDispersion*10)/100.0, got.dispersion, 1e-12)
	require.Equal(t, 4.0, got.learned)
	got = past.with(counts(100, 10, 20), nil) // one pair of dispersion 10/3
	require.InDelta(t, (4*90+10.0/3)/91, got.learned, 1e-9)
	require.False(t, Learn([]Group{{Periods: counts(100, 1, 0, 1)}}).past, "too little to be a past")
	require.True(t, Learn([]Group{{Periods: steady(20, 100, 5)}}).past)
}

func TestIncidentsDoNotTeach(t *testing.T) {
	total, pods := steady(20, 1000, 2), [][]Tally{steady(20, 500, 1), steady(20, 500, 1)}
	total[3].Bad = 400
	calm, calmPods := withoutIncidents(total, pods)
	require.Equal(t, Tally{}, calm[3])
	require.Equal(t, Tally{}, calmPods[1][3])
	require.Equal(t, total[4], calm[4])
}

// The share of the requests doubles, and not for chance: pods were added.
func TestAShareThatGrowsIsAStart(t *testing.T) {
	baseline, candidate := steady(12, 9000, 9), steady(12, 1000, 1)
	for t := 6; t < 12; t++ {
		candidate[t].Requests = 2000
	}
	got := growths([]Group{{Periods: baseline}, {Candidate: true, Periods: candidate}})
	require.Equal(t, 6, got[6])
	require.Equal(t, 6, got[11])
	require.Less(t, got[5], -100)
	few := counts(10, 0, 0, 0, 0)
	few[3].Requests = 20
	require.Less(t, growths([]Group{{Periods: steady(4, 100, 0)}, {Candidate: true, Periods: few}})[3], -100, "by chance")

	kept := cells([]Group{{Periods: baseline}, {Candidate: true, Periods: candidate}}, 2, 2)
	for i, s := range kept {
		require.Equal(t, i < 2 || i == 6 || i == 7, s.cells[0].starting, i)
	}
}

// A pod starts as long as those before failed more than twice as often.
func TestAStartLastsAsPastOnesDid(t *testing.T) {
	baseline, candidate := steady(8, 9000, 18), steady(8, 1000, 2)
	kept := cells([]Group{{Pod: "a", Periods: baseline}, {Candidate: true, Pod: "b", Periods: candidate}}, 2, 6)
	noise := Learn([]Group{{Periods: steady(60, 9000, 18)}})
	bear(kept, true, noise, Signal{Start: []float64{0.02, 0.01, 0.006, 0.003, 0.001, 0.001}})
	var starting []bool
	for _, s := range kept {
		starting = append(starting, s.cells[0].starting)
	}
	require.Equal(t, []bool{true, true, true, true, false, false, false, false}, starting)
}

func TestAStartFades(t *testing.T) {
	require.InDeltaSlice(t, []float64{0.01, 0.005, 0.0025, 0.00125, 0.000625, 0.0003125}, fading([]float64{0.01}, 0.002), 1e-12)
	require.Nil(t, fading(nil, 0.002))
	require.Equal(t, []float64{0.01}, fading([]float64{0.01}, 0), "nothing usual to fade to")
	require.Len(t, fading([]float64{0.5}, 1e-9), settled)
}
