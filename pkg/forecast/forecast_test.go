package forecast_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func history(step time.Duration, values []float64) series.Series {
	return series.Series{Start: monday, Step: step, Values: values}
}

// traffic has a daily rhythm, quieter weekends and noise.
func traffic(n int, step time.Duration, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	for i := range values {
		t := monday.Add(time.Duration(i) * step)
		hour := t.Sub(monday).Hours()
		level := 100 + 40*math.Sin(2*math.Pi*hour/24)
		if day := t.Weekday(); day == time.Saturday || day == time.Sunday {
			level *= 0.7
		}
		values[i] = level + 5*random.NormFloat64()
	}
	return values
}

func constant(v float64, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = v
	}
	return values
}

// requireSound is what holds for every result whatever the history.
func requireSound(t require.TestingT, r forecast.Result, horizon int) {
	require.Len(t, r.Mean, horizon)
	finite := func(v float64) { require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%v", v) }
	for h, mean := range r.Mean {
		finite(mean)
		for i, interval := range r.Intervals {
			finite(interval.Lower[h])
			finite(interval.Upper[h])
			require.LessOrEqual(t, interval.Lower[h], mean)
			require.GreaterOrEqual(t, interval.Upper[h], mean)
			if i > 0 {
				require.LessOrEqual(t, interval.Lower[h], r.Intervals[i-1].Lower[h], "intervals are nested")
				require.GreaterOrEqual(t, interval.Upper[h], r.Intervals[i-1].Upper[h], "intervals are nested")
			}
		}
	}
	finite(r.Error)
	finite(r.NaiveError)
	for _, v := range r.Parameters {
		finite(v)
	}
}

func TestRunFollowsASeason(t *testing.T) {
	for _, c := range []struct {
		name string
		step time.Duration
		n    int
	}{
		{"14 days at 5 min", 5 * time.Minute, 14 * 288},
		{"14 days at 1 min", time.Minute, 14 * 1440},
		{"4 weeks at 1 h", time.Hour, 28 * 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			horizon := int(24 * time.Hour / c.step)
			values := traffic(c.n+horizon, c.step, 7)
			r, err := forecast.Run(forecast.Request{
				History: history(c.step, values[:c.n]), Horizon: horizon, Model: forecast.Auto,
				Probabilities: []float64{0.95, 0.8}, NonNegative: true,
			})
			require.NoError(t, err)
			requireSound(t, r, horizon)
			require.Equal(t, monday.Add(time.Duration(c.n)*c.step), r.Start)
			require.Equal(t, 0.8, r.Intervals[0].Probability)
			require.NotZero(t, r.Season)
			inside, sum := 0, 0.0
			for h, actual := range values[c.n:] {
				sum += math.Abs(actual - r.Mean[h])
				if actual >= r.Intervals[1].Lower[h] && actual <= r.Intervals[1].Upper[h] {
					inside++
				}
			}
			t.Log(r.Model, r.Season, r.Error, r.NaiveError, sum/float64(horizon), float64(inside)/float64(horizon), r.Notices)
			require.Less(t, sum/float64(horizon), 8.0, "noise alone gives 4")
			require.Greater(t, inside, horizon*85/100)
			require.Less(t, r.Error, 1.05*r.NaiveError)
		})
	}
}

func TestRunAnswersOrSaysWhyOnBadInput(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	random := rand.New(rand.NewPCG(1, 1))
	noise := func(n int, scale float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = scale * random.NormFloat64()
		}
		return values
	}
	with := func(values []float64, v float64, every int) []float64 {
		for i := 0; i < len(values); i += every {
			values[i] = v
		}
		return values
	}
	cases := []struct {
		name   string
		step   time.Duration
		values []float64
		err    error
	}{
		{"empty", time.Minute, nil, forecast.ErrShortHistory},
		{"one point", time.Minute, []float64{1}, forecast.ErrShortHistory},
		{"twelve points", time.Minute, noise(12, 1), forecast.ErrShortHistory},
		{"all missing", time.Minute, constant(nan, 500), forecast.ErrShortHistory},
		{"all infinite", time.Minute, constant(inf, 500), forecast.ErrShortHistory},
		{"no step", 0, noise(100, 1), forecast.ErrBadRequest},
		{"twenty points", time.Minute, noise(20, 1), nil},
		{"constant", time.Minute, constant(5, 200), nil},
		{"constant zero", time.Minute, constant(0, 200), nil},
		{"constant huge", time.Minute, constant(math.MaxFloat64, 200), nil},
		{"huge noise", time.Minute, noise(200, 1e307), nil},
		{"extremes", time.Minute, with(constant(-math.MaxFloat64, 200), math.MaxFloat64, 2), nil},
		{"tiny", time.Minute, noise(200, 1e-300), nil},
		{"subnormal", time.Minute, noise(200, 5e-322), nil},
		{"infinities inside", time.Minute, with(noise(200, 1), inf, 7), nil},
		{"every second missing", time.Minute, with(noise(200, 1), nan, 2), nil},
		{"missing end", time.Minute, append(noise(160, 1), constant(nan, 40)...), nil},
		{"missing second half", time.Minute, append(noise(100, 1), constant(nan, 300)...), forecast.ErrShortHistory},
		{"step longer than the season", 8 * 24 * time.Hour, noise(100, 1), nil},
		{"odd step", 7 * time.Minute, noise(400, 1), nil},
		{"mostly zero", time.Minute, with(constant(0, 1000), 3, 97), nil},
		{"huge offset", time.Minute, func() []float64 {
			v := noise(200, 1)
			for i := range v {
				v[i] += 1e15
			}
			return v
		}(), nil},
	}
	for _, c := range cases {
		for _, model := range append(forecast.Models(), forecast.Auto) {
			t.Run(c.name+"/"+model, func(t *testing.T) {
				r, err := forecast.Run(forecast.Request{
					History: history(c.step, c.values), Horizon: 50, Model: model,
					Probabilities: []float64{0.5, 0.8, 0.95, 0.999},
				})
				if c.err != nil {
					require.ErrorIs(t, err, c.err)
					return
				}
				require.NoError(t, err)
				requireSound(t, r, 50)
			})
		}
	}
}

func TestRunRefusesABadRequest(t *testing.T) {
	h := history(time.Minute, traffic(100, time.Minute, 1))
	for name, r := range map[string]forecast.Request{
		"no horizon":   {History: h},
		"long horizon": {History: h, Horizon: math.MaxInt},
		"probability":  {History: h, Horizon: 1, Probabilities: []float64{95}},
		"model":        {History: h, Horizon: 1, Model: "crystal-ball"},
	} {
		_, err := forecast.Run(r)
		require.ErrorIs(t, err, forecast.ErrBadRequest, name)
	}
}

// Data say more than a default: what has been below zero may be so again.
func TestNegativeValuesStayNegative(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	freezer := make([]float64, 500)
	for i := range freezer {
		freezer[i] = -18 + 3*math.Sin(2*math.Pi*float64(i)/24) + random.NormFloat64()
	}
	r, err := forecast.Run(forecast.Request{History: history(time.Hour, freezer), Horizon: 24, NonNegative: true})
	require.NoError(t, err)
	for h := range r.Mean {
		require.InDelta(t, -18, r.Mean[h], 6)
		require.Less(t, r.Intervals[0].Upper[h], 0.0)
		require.Less(t, r.Intervals[0].Lower[h], r.Mean[h])
	}
}

// The naive forecast repeats the last value, whatever lies before it.
func TestNaiveIsNaive(t *testing.T) {
	values := traffic(500, time.Hour, 2)
	values[498], values[499] = 5000, 9000
	for _, step := range []time.Duration{time.Second, time.Hour, 7 * 24 * time.Hour} {
		r, err := forecast.Run(forecast.Request{History: history(step, values), Horizon: 13, Model: "naive"})
		require.NoError(t, err)
		require.Equal(t, constant(9000, 13), r.Mean)
	}
}

func TestRunLeavesItsInputAlone(t *testing.T) {
	values := traffic(1000, time.Hour, 3)
	values[10] = math.Inf(1)
	before := append([]float64(nil), values...)
	request := forecast.Request{History: history(time.Hour, values), Horizon: 24}
	first, err := forecast.Run(request)
	require.NoError(t, err)
	require.Equal(t, before, values)
	second, err := forecast.Run(request)
	require.NoError(t, err)
	require.Equal(t, first, second, "same input, same output")
}

func TestRunProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		value := rapid.OneOf(
			rapid.Float64Range(-10, 10), rapid.Float64(), rapid.Just(math.NaN()), rapid.Just(0.0), rapid.Just(math.Inf(-1)),
		)
		values := rapid.SliceOfN(value, n, n).Draw(t, "values")
		step := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "step")
		horizon := rapid.IntRange(1, 100).Draw(t, "horizon")
		model := rapid.SampledFrom(append(forecast.Models(), forecast.Auto)).Draw(t, "model")
		nonNegative := rapid.Bool().Draw(t, "nonNegative")
		r, err := forecast.Run(forecast.Request{
			History: history(step, values), Horizon: horizon, Model: model,
			Probabilities: []float64{0.5, 0.9, 0.99}, NonNegative: nonNegative,
		})
		if err != nil {
			return
		}
		requireSound(t, r, horizon)
		below := slices.ContainsFunc(values, func(v float64) bool { return v < 0 && !math.IsInf(v, 0) })
		if nonNegative && !below {
			for h := range r.Mean {
				require.GreaterOrEqual(t, r.Mean[h], 0.0)
				require.GreaterOrEqual(t, r.Intervals[0].Lower[h], 0.0)
			}
			return
		}
		// Errors may be smaller at another time of an hour, day or week.
		season := max(map[time.Duration]int{time.Minute: 60, time.Hour: 24, 24 * time.Hour: 7}[step], 1)
		for h := season; h < horizon; h++ {
			for _, interval := range r.Intervals {
				before := interval.Upper[h-season] - interval.Lower[h-season]
				width := interval.Upper[h] - interval.Lower[h]
				if math.IsInf(before, 0) || math.IsInf(width, 0) {
					continue // both bounds near the largest float
				}
				slack := 1e-9 * (math.Abs(r.Mean[h]) + math.Abs(r.Mean[h-season]) + width)
				require.GreaterOrEqual(t, width, before-slack, "never narrower with the horizon")
			}
		}
	})
}

func TestRunScalesWithItsUnit(t *testing.T) {
	values := traffic(28*24, time.Hour, 5)
	scaled := make([]float64, len(values))
	for i, v := range values {
		scaled[i] = 1024 * v
	}
	a, err := forecast.Run(forecast.Request{History: history(time.Hour, values), Horizon: 48})
	require.NoError(t, err)
	b, err := forecast.Run(forecast.Request{History: history(time.Hour, scaled), Horizon: 48})
	require.NoError(t, err)
	require.Equal(t, a.Model, b.Model)
	for h := range a.Mean {
		require.InEpsilon(t, 1024*a.Mean[h], b.Mean[h], 1e-9)
		require.InEpsilon(t, 1024*a.Intervals[0].Upper[h], b.Intervals[0].Upper[h], 1e-9)
	}
}

func TestRunSaysWhichRungAnswered(t *testing.T) {
	r, err := forecast.Run(forecast.Request{
		History: history(time.Minute, traffic(25, time.Minute, 1)), Horizon: 10, Model: "prophet",
	})
	require.NoError(t, err)
	require.Contains(t, r.Notices[len(r.Notices)-1], "prophet was replaced")
	require.Contains(t, r.Notices[0], "a season of 7d was not looked for")
}

func TestRunKnowsEventsToCome(t *testing.T) {
	n := 21 * 24
	values := traffic(n, time.Hour, 9)
	var events []forecast.Event
	for _, start := range []int{100, 230, 330, 410, 470, n + 5} {
		at := monday.Add(time.Duration(start) * time.Hour)
		events = append(events, forecast.Event{Name: "campaign", Start: at, End: at.Add(6 * time.Hour)})
		for i := start; i < min(start+6, n); i++ {
			values[i] += 80
		}
	}
	for _, model := range []string{"prophet", "arima", forecast.Auto} {
		r, err := forecast.Run(forecast.Request{
			History: history(time.Hour, values), Horizon: 24, Model: model, Events: events,
		})
		require.NoError(t, err)
		without, err := forecast.Run(forecast.Request{History: history(time.Hour, values), Horizon: 24, Model: model})
		require.NoError(t, err)
		rise := 0.0
		for h := 5; h < 11; h++ {
			rise += (r.Mean[h] - without.Mean[h]) / 6
		}
		t.Log(model, r.Model, rise, r.Parameters)
		require.Greater(t, rise, 20.0, model)
	}
}

func TestRunStaysBelowTheCapacity(t *testing.T) {
	values := make([]float64, 400)
	for i := range values {
		values[i] = 100 / (1 + math.Exp(-float64(i-150)/40))
	}
	r, err := forecast.Run(forecast.Request{
		History: history(time.Hour, values), Horizon: 100, Model: "prophet", Capacity: 100, NonNegative: true,
	})
	require.NoError(t, err)
	for h, v := range r.Mean {
		require.InDelta(t, 100, v, 3)
		require.LessOrEqual(t, r.Intervals[0].Upper[h], 100.0)
	}
	_, err = forecast.Run(forecast.Request{History: history(time.Hour, values), Horizon: 1, Capacity: -1})
	require.ErrorIs(t, err, forecast.ErrBadRequest)
}

func BenchmarkRun(b *testing.B) {
	request := forecast.Request{History: history(5*time.Minute, traffic(14*288, 5*time.Minute, 1)), Horizon: 288}
	for b.Loop() {
		if _, err := forecast.Run(request); err != nil {
			b.Fatal(err)
		}
	}
}
