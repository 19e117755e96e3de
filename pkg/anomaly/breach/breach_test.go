package breach_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
	"github.com/foresight-observability/foresight/pkg/series"
)

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

const (
	perDay  = 1440
	learned = 14 * perDay
)

// traffic is n minutes of a daily rhythm with noise that depends on the minute
// before.
func traffic(n int, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	noise := 0.0
	for i := range values {
		noise = 0.5*noise + 2*random.NormFloat64()
		values[i] = 100 + 40*math.Sin(2*math.Pi*float64(i)/perDay) + noise
	}
	return values
}

func predict(t require.TestingT, values []float64, from int, threshold float64, below bool) breach.Result {
	h := series.Series{Start: monday, Step: time.Minute, Values: values}
	r, err := breach.Predict(breach.Request{
		History: h, From: h.Time(from), Threshold: threshold, Below: below, Horizon: time.Hour,
	})
	require.NoError(t, err)
	require.Len(t, r.Probability, len(values)-from)
	for i, p := range r.Probability {
		require.True(t, math.IsNaN(p) || !math.IsNaN(values[from+i]) && p >= 0 && p <= 1, "%v", p)
	}
	require.False(t, r.Early.After(r.Median))
	require.False(t, r.Median.After(r.Late))
	return r
}

// A creep of 60 units in an hour is seen halfway, with the time at which it
// ends; upwards as downwards.
func TestBreachSeesACreep(t *testing.T) {
	for _, below := range []bool{false, true} {
		values := traffic(learned+700, 1)
		threshold, side := 200.0, 1.0
		if below {
			threshold, side = 0, -1
		}
		start := len(values) - 30
		goal := threshold - values[start]
		for i := start; i < len(values); i++ {
			values[i] += goal * float64(i-start) / 60
		}
		r := predict(t, values, learned, threshold, below)
		last := len(r.Probability) - 1
		require.Greater(t, r.Probability[last], 0.8)
		for i := range last - 40 {
			require.Less(t, r.Probability[i], 0.5, "at minute %d", i)
		}
		require.Greater(t, r.Trending, 0.9)
		require.Greater(t, side*r.Slope, 0.0)
		require.WithinDuration(t, r.Actual.Time(start-learned+60), r.Median, 20*time.Minute)
		require.True(t, r.Early.Before(r.Late))
	}
}

func TestBreachIsCertainBeyondTheThreshold(t *testing.T) {
	values := traffic(learned+300, 2)
	values[len(values)-1] = 500
	r := predict(t, values, learned, 400, false)
	require.Equal(t, 1.0, r.Probability[299])
	require.Equal(t, r.Actual.Time(299), r.Median)
	require.Less(t, r.Probability[298], 0.2)
}

// What the season brings every day is foreseen without any trend.
func TestBreachKnowsTheSeason(t *testing.T) {
	values := traffic(learned+2*perDay, 3)
	r := predict(t, values, learned, 130, false)
	hits, right, wrong := 0, 0, 0
	for i := range 2*perDay - 60 {
		crossed := false
		for _, v := range values[learned+i : learned+i+61] {
			crossed = crossed || v >= 130
		}
		if crossed {
			hits++
		}
		switch {
		case r.Probability[i] >= 0.8 && crossed:
			right++
		case r.Probability[i] >= 0.8:
			wrong++
		}
	}
	require.Greater(t, float64(right), 0.8*float64(hits))
	require.Less(t, float64(wrong), 0.1*float64(hits))
}

// What is told at a point rests on what was known there.
func TestBreachIsCausal(t *testing.T) {
	values := traffic(learned+700, 4)
	whole := predict(t, values, learned, 180, false)
	part := predict(t, values[:learned+500], learned+100, 180, false)
	require.Equal(t, whole.Probability[100:500], part.Probability)
}

func TestBreachAnswersOrSaysWhy(t *testing.T) {
	h := series.Series{Start: monday, Step: time.Minute, Values: traffic(100, 1)}
	request := breach.Request{History: h, From: h.Time(50), Threshold: 1, Horizon: time.Hour}
	for name, change := range map[string]func(*breach.Request){
		"no threshold": func(r *breach.Request) { r.Threshold = math.NaN() },
		"no step":      func(r *breach.Request) { r.History.Step = 0 },
		"no horizon":   func(r *breach.Request) { r.Horizon = 0 },
	} {
		r := request
		change(&r)
		_, err := breach.Predict(r)
		require.ErrorIs(t, err, anomaly.ErrBadRequest, name)
	}
}

// A series that began today, with days of nothing before, is judged from its
// first minutes: what is crossed is crossed, what is 0.85 of the limit is not.
func TestYoungSeriesAreJudged(t *testing.T) {
	const empty = 3*perDay + 600
	for name, c := range map[string]struct {
		level float64
		check func(p float64) bool
	}{
		"crossed":           {0.95, func(p float64) bool { return p == 1 }},
		"0.85 of the limit": {0.765, func(p float64) bool { return p < 0.2 }},
	} {
		random := rand.New(rand.NewPCG(3, 9))
		values := make([]float64, empty, empty+400)
		for i := range values {
			values[i] = math.NaN()
		}
		for range 400 {
			values = append(values, c.level+0.01*random.NormFloat64())
		}
		for _, seen := range []int{3, 5, 30, 200, 239, 240, 241, 400} {
			r := predict(t, values[:empty+seen], empty, 0.9, false)
			p := r.Probability[seen-1]
			require.True(t, c.check(p), "%s after %d minutes: %v", name, seen, p)
			require.True(t, c.level == 0.765 || p == 1)
		}
	}
	one := append(make([]float64, 0, 4), math.NaN(), math.NaN(), math.NaN(), 0.95)
	require.Equal(t, 1.0, predict(t, one, 3, 0.9, false).Probability[0])
}

// A daily rhythm that will reach the limit within the hour is foreseen, and one
// that is on its way down is not: the season of then counts, not that of now.
func TestBreachKnowsTheSeasonOfThen(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 1))
	values := make([]float64, learned+perDay)
	for i := range values {
		values[i] = 100 + 40*math.Sin(2*math.Pi*float64(i)/perDay) + random.NormFloat64()
	}
	r := predict(t, values, learned, 130, false) // from minute 194 to 526
	for _, minute := range []int{60, 100} {
		require.Less(t, r.Probability[minute], 0.3, "at minute %d", minute)
	}
	for _, minute := range []int{145, 155, 165} { // 125 to 126 by now
		require.Greater(t, r.Probability[minute], 0.9, "at minute %d", minute)
	}
	for _, minute := range []int{560, 600} {
		require.Less(t, r.Probability[minute], 0.3, "at minute %d", minute)
	}
}

// Probabilities near the limit come true as often as they say, on noise without
// memory as with much.
func TestBreachIsCalibratedOnNoise(t *testing.T) {
	for _, memory := range []float64{0, 0.95} {
		var predicted, came, n, sure, sureCame float64
		for seed := range uint64(12) {
			random := rand.New(rand.NewPCG(seed, 77))
			values := make([]float64, 5*perDay)
			state := 0.0
			for i := range values {
				state = memory*state + math.Sqrt(1-memory*memory)*random.NormFloat64()
				values[i] = state
			}
			r := predict(t, values, 4*perDay, 2.2+0.1*float64(seed), false)
			for i, p := range r.Probability[:perDay-60] {
				at := 4*perDay + i
				if p == 1 {
					continue
				}
				outcome := 0.0
				if slices.Max(values[at+1:at+61]) >= 2.2+0.1*float64(seed) {
					outcome = 1
				}
				predicted, came, n = predicted+p, came+outcome, n+1
				if p >= 0.8 {
					sure, sureCame = sure+1, sureCame+outcome
				}
			}
		}
		require.InDelta(t, came/n, predicted/n, 0.06, "memory %v", memory)
		if sure > 200 {
			require.Greater(t, sureCame/sure, 0.7, "memory %v", memory)
		}
	}
}

func TestBreachProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(60, 400).Draw(t, "n")
		value := rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Float64(), rapid.Just(math.NaN()), rapid.Just(0.0))
		values := rapid.SliceOfN(value, n, n).Draw(t, "values")
		h := series.Series{Start: monday, Step: time.Minute, Values: values}
		threshold := rapid.Float64Range(-20, 20).Draw(t, "threshold")
		r, err := breach.Predict(breach.Request{
			History: h, From: h.Time(n / 2), Threshold: threshold, Below: rapid.Bool().Draw(t, "below"), Horizon: 30 * time.Minute,
		})
		require.NoError(t, err)
		for i, p := range r.Probability {
			require.True(t, !math.IsNaN(values[n/2+i]) || math.IsNaN(p))
			require.False(t, p < 0 || p > 1)
		}
		require.False(t, math.IsNaN(r.Slope) || math.IsInf(r.Slope, 0))
	})
}

// A latency that multiplies within minutes is warned of before it reaches its
// limit, if only by minutes.
func TestBreachSeesASurge(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1))
	values := make([]float64, 5*24*60)
	for i := range values {
		values[i] = 0.025 + 0.003*math.Sin(2*math.Pi*float64(i)/1440) + 0.0007*random.NormFloat64()
	}
	surge := []float64{0.042, 0.057, 0.134, 0.197, 0.279, 0.394}
	values = append(values, surge...)
	history := series.Series{Start: monday, Step: time.Minute, Values: values}
	r, err := breach.Predict(breach.Request{History: history, From: history.Time(len(values) - 30), Past: 4 * 24 * time.Hour, Threshold: 0.5, Horizon: time.Hour})
	require.NoError(t, err)
	reported := r.Probability[len(r.Probability)-len(surge):]
	require.Greater(t, reported[len(surge)-1], 0.8, reported)
	require.Greater(t, reported[len(surge)-2], 0.8, reported)
	require.Less(t, reported[0], 0.5, reported)
	for _, p := range r.Probability[:len(r.Probability)-len(surge)] {
		require.Less(t, p, 0.5)
	}
}

// Windows that move on, over several series and with little room to remember
// them, each say what one that remembers nothing says.
func TestRememberedTendenciesChangeNothing(t *testing.T) {
	models := anomaly.NewModels(200_000)
	for _, seed := range []uint64{1, 2, 1, 3, 1} {
		values := traffic(learned+perDay+20, seed)
		for _, later := range []int{0, 1, perDay, perDay + 1} {
			h := series.Series{Start: monday, Step: time.Minute, Values: values[:learned+later+10]}
			for _, horizon := range []time.Duration{time.Hour, 2 * time.Hour} {
				request := breach.Request{History: h, From: h.Time(learned + later), Threshold: 160, Horizon: horizon, Below: seed == 2}
				expected, err := breach.Predict(request)
				require.NoError(t, err)
				request.Models = models
				for range 2 {
					got, err := breach.Predict(request)
					require.NoError(t, err)
					require.Equal(t, expected, got)
				}
			}
		}
	}
}

// TestBreachSeesACreepOfAQuietSeries: where a series hardly varies, a ramp of two
// hours shows in the shortest window already, which is not believed for long.
func TestBreachSeesACreepOfAQuietSeries(t *testing.T) {
	for _, noise := range []float64{0.1, 1, 10} {
		random := rand.New(rand.NewPCG(1, 2))
		h := series.Series{Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Step: time.Minute}
		for i := range 2 * 1440 {
			h.Values = append(h.Values, 200+noise*random.NormFloat64()+5*math.Max(0, float64(i-2*1440+120)))
		}
		// 800 is reached, 900 follows within 20 minutes.
		r, err := breach.Predict(breach.Request{History: h, From: h.Time(h.Len() - 5), Threshold: 900, Horizon: time.Hour})
		require.NoError(t, err)
		require.Greater(t, r.Current(), 0.8, "noise of %g", noise)
	}
}
