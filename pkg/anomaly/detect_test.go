package anomaly_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

const (
	day     = 24 * time.Hour
	perDay  = 1440
	learned = 14 * perDay
)

// traffic has a daily rhythm, quieter weekends and correlated noise, at one
// minute from a Monday.
func traffic(n int, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	noise := 0.0
	for i := range values {
		level := 100 + 40*math.Sin(2*math.Pi*float64(i)/perDay)
		if i/perDay%7 >= 5 {
			level -= 25
		}
		noise = 0.6*noise + 0.8*random.NormFloat64()
		values[i] = level + 4*noise
	}
	return values
}

func add(values []float64, from, length int, size float64) {
	for i := from; i < from+length; i++ {
		values[i] += size
	}
}

func request(values []float64, from int) anomaly.Request {
	h := series.Series{Start: monday, Step: time.Minute, Values: values}
	return anomaly.Request{History: h, From: h.Time(from)}
}

func detect(t require.TestingT, r anomaly.Request) anomaly.Result {
	result, err := anomaly.Detect(r)
	require.NoError(t, err)
	requireSound(t, result)
	return result
}

func requireSound(t require.TestingT, r anomaly.Result) {
	n := r.Actual.Len()
	require.Len(t, r.Expected, n)
	require.Len(t, r.Lower, n)
	require.Len(t, r.Upper, n)
	require.Len(t, r.Score, n)
	for i := range n {
		for _, v := range []float64{r.Expected[i], r.Lower[i], r.Upper[i]} {
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%v", v)
		}
		require.LessOrEqual(t, r.Lower[i], r.Expected[i])
		require.GreaterOrEqual(t, r.Upper[i], r.Expected[i])
		if math.IsNaN(r.Actual.Values[i]) || math.IsInf(r.Actual.Values[i], 0) {
			require.True(t, math.IsNaN(r.Score[i]), "what is missing is not judged")
		} else {
			require.GreaterOrEqual(t, r.Score[i], 0.0)
			require.LessOrEqual(t, r.Score[i], 100.0)
		}
	}
	for _, e := range r.Events {
		require.False(t, e.End.Before(e.Start))
	}
}

func TestScoreHasItsFixedMeaning(t *testing.T) {
	for probability, score := range map[float64]float64{1: 0, 1e-3: 50, 1e-4: 75, 1e-6: 90} {
		require.InDelta(t, score, anomaly.Score(probability), 1e-9)
	}
	require.Equal(t, 100.0, math.Round(anomaly.Score(0)))
	require.Zero(t, anomaly.Score(2))
	for e := 0.0; e < 20; e += 0.1 {
		require.Less(t, anomaly.Score(math.Pow(10, -e)), anomaly.Score(math.Pow(10, -e-0.1)))
	}
}

// Under the null the score keeps its promise: points above 50 are about one in
// a thousand, points above 75 about one in ten thousand.
func TestScoreIsCalibrated(t *testing.T) {
	const replicas = 20
	fifty, seventyFive, inside, points, incidents := 0, 0, 0, 0, 0
	for seed := range uint64(replicas) {
		r := detect(t, request(traffic(learned+perDay, seed), learned))
		for i, score := range r.Score {
			points++
			if score >= 50 {
				fifty++
			}
			if score >= 75 {
				seventyFive++
			}
			if v := r.Actual.Values[i]; v >= r.Lower[i] && v <= r.Upper[i] {
				inside++
			}
		}
		incidents += len(r.Events)
	}
	t.Log(float64(fifty)/float64(points), float64(seventyFive)/float64(points), float64(inside)/float64(points), incidents)
	require.Less(t, float64(fifty)/float64(points), 0.002)
	require.Less(t, float64(seventyFive)/float64(points), 0.0004)
	require.InDelta(t, 0.99, float64(inside)/float64(points), 0.006)
}

func TestOneIncidentIsOneEvent(t *testing.T) {
	values := traffic(learned+perDay, 3)
	add(values, learned+600, 40, 60)
	r := detect(t, request(values, learned))
	require.Len(t, r.Events, 1)
	event := r.Events[0]
	require.WithinDuration(t, monday.Add((learned+600)*time.Minute), event.Start, 2*time.Minute)
	require.WithinDuration(t, monday.Add((learned+640)*time.Minute), event.End, 15*time.Minute)
	require.True(t, event.Above)
	require.Greater(t, event.Score, 90.0)
}

func TestAnIncidentDoesNotWidenTheBand(t *testing.T) {
	calm, hit := traffic(learned+perDay, 4), traffic(learned+perDay, 4)
	add(hit, learned-3*perDay+700, 120, 500)
	add(hit, learned-200, 60, 500)
	before, after := detect(t, request(calm, learned)), detect(t, request(hit, learned))
	mean := 0.0
	for i := range before.Lower {
		ratio := (after.Upper[i] - after.Lower[i]) / (before.Upper[i] - before.Lower[i])
		mean += ratio / float64(len(before.Lower))
		require.Less(t, ratio, 1.25, "at minute %d", i)
	}
	require.InDelta(t, 1, mean, 0.05)
}

func TestANightlyJobIsLearned(t *testing.T) {
	values := traffic(learned+perDay, 5)
	for d := range 15 {
		add(values, d*perDay+120+d%3, 5, 150)
	}
	r := detect(t, request(values, learned))
	require.Empty(t, r.Events)
	add(values, learned+900, 5, 150)
	require.Len(t, detect(t, request(values, learned)).Events, 1, "the same spike at another time of day is news")
}

func TestSustainedMildDeviationIsFound(t *testing.T) {
	values := traffic(learned+perDay, 6)
	add(values, learned+600, 90, 11) // about two spreads
	r := detect(t, request(values, learned))
	require.NotEmpty(t, r.Events)
	require.WithinDuration(t, monday.Add((learned+640)*time.Minute), r.Events[0].Start, 45*time.Minute)
}

func TestGatesOfDirectionAndSize(t *testing.T) {
	values := traffic(learned+perDay, 7)
	add(values, learned+600, 30, -70)
	r := request(values, learned)
	r.Direction = anomaly.Above
	require.Empty(t, detect(t, r).Events)
	r.Direction = anomaly.Below
	require.Len(t, detect(t, r).Events, 1)
	r.MinDeviation = 200
	require.Empty(t, detect(t, r).Events)
}

func TestAGapIsNotAnAnomaly(t *testing.T) {
	values := traffic(learned+perDay, 8)
	for i := learned + 300; i < learned+420; i++ {
		values[i] = math.NaN()
	}
	r := detect(t, request(values, learned))
	require.Empty(t, r.Events)
	require.Contains(t, r.Notices, "120 of 1440 points are missing and were not judged")
}

func TestALevelShiftIsAcceptedOnce(t *testing.T) {
	values := traffic(learned+3*perDay, 9)
	add(values, learned+600, 3*perDay-600, 80)
	r := detect(t, request(values, learned))
	require.Len(t, r.Events, 1)
	require.Less(t, r.Events[0].End.Sub(r.Events[0].Start), 9*time.Hour)
	require.Contains(t, r.Notices[len(r.Notices)-1], "a new level was accepted")
}

// The score of a point does not depend on where the window begins, nor on what
// comes after it.
func TestScoresDoNotDependOnTheWindow(t *testing.T) {
	values := traffic(learned+2*perDay, 10)
	add(values, learned+1400, 80, 50)
	whole := detect(t, request(values, learned))
	for _, from := range []int{learned + 17, learned + perDay, learned + perDay + 700} {
		part := detect(t, request(values, from))
		offset := from - learned
		require.Equal(t, whole.Score[offset:], part.Score)
		require.Equal(t, whole.Upper[offset:], part.Upper)
	}
	causal := detect(t, request(values[:learned+perDay+100], learned))
	require.Equal(t, whole.Score[:perDay+100], causal.Score, "nothing after a point changes its score")
}

func TestNamedModels(t *testing.T) {
	fine := traffic(8*perDay, 11)
	add(fine, 7*perDay+600, 40, 60)
	values := make([]float64, 0, len(fine)/10)
	for i := 0; i < len(fine); i += 10 {
		values = append(values, fine[i])
	}
	for _, model := range forecast.Models() {
		r := request(values, len(values)*7/8)
		r.History.Step = 10 * time.Minute
		r.From = r.History.Time(len(values) * 7 / 8)
		r.Model = model
		result := detect(t, r)
		if model == "seasonal-naive" {
			require.Equal(t, model, result.Model)
			require.NotEmpty(t, result.Events)
		}
	}
}

func TestDetectAnswersOrSaysWhyOnBadInput(t *testing.T) {
	nan := math.NaN()
	fill := func(n int, f func(i int) float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = f(i)
		}
		return values
	}
	random := rand.New(rand.NewPCG(1, 2))
	cases := []struct {
		name   string
		step   time.Duration
		values []float64
		from   int
		err    error
	}{
		{"empty", time.Minute, nil, 0, nil},
		{"one point", time.Minute, []float64{1}, 0, forecast.ErrShortHistory},
		{"no history", time.Minute, fill(100, func(int) float64 { return 1 }), 0, forecast.ErrShortHistory},
		{"no step", 0, fill(100, func(int) float64 { return 1 }), 0, anomaly.ErrBadRequest},
		{"all missing", time.Minute, fill(400, func(int) float64 { return nan }), 200, forecast.ErrShortHistory},
		{"missing window", time.Minute, fill(160, func(i int) float64 { return []float64{float64(i % 7), nan}[i/80] }), 80, nil},
		{"constant", time.Minute, fill(400, func(int) float64 { return 5 }), 200, nil},
		{"constant, then not", time.Minute, fill(400, func(i int) float64 { return float64(i / 280) }), 200, nil},
		{"huge", time.Minute, fill(300, func(int) float64 { return math.MaxFloat64 * (2*random.Float64() - 1) }), 200, nil},
		{"tiny", time.Minute, fill(300, func(int) float64 { return 1e-310 * random.NormFloat64() }), 200, nil},
		{"infinite", time.Minute, fill(160, func(i int) float64 { return []float64{1, math.Inf(1), 2}[i%3] }), 100, nil},
		{"step longer than the season", 8 * day, fill(200, func(int) float64 { return random.NormFloat64() }), 100, nil},
		{"odd step", 7 * time.Minute, fill(700, func(int) float64 { return random.NormFloat64() }), 500, nil},
		{"sparse", time.Minute, fill(800, func(i int) float64 { return float64((i % 97) / 96) }), 600, nil},
	}
	for _, c := range cases {
		for _, model := range append(forecast.Models(), "") {
			t.Run(c.name+"/"+model, func(t *testing.T) {
				h := series.Series{Start: monday, Step: c.step, Values: c.values}
				r, err := anomaly.Detect(anomaly.Request{History: h, From: h.Time(c.from), Model: model})
				if c.err != nil {
					require.ErrorIs(t, err, c.err)
					return
				}
				if err != nil && model != "" && model != forecast.Auto {
					return // a model named by the asker may refuse, with its reason
				}
				require.NoError(t, err)
				requireSound(t, r)
			})
		}
	}
}

func TestDetectProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 400).Draw(t, "n")
		value := rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Float64(), rapid.Just(math.NaN()), rapid.Just(0.0))
		values := rapid.SliceOfN(value, n, n).Draw(t, "values")
		step := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, day}).Draw(t, "step")
		h := series.Series{Start: monday, Step: step, Values: values}
		r, err := anomaly.Detect(anomaly.Request{
			History: h, From: h.Time(rapid.IntRange(0, n).Draw(t, "from")),
			NonNegative: rapid.Bool().Draw(t, "nonNegative"),
		})
		if err == nil {
			requireSound(t, r)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	r := request(traffic(learned+perDay, 1), learned)
	for b.Loop() {
		if _, err := anomaly.Detect(r); err != nil {
			b.Fatal(err)
		}
	}
}

// A detector that was calibrated with few points does not raise an alarm by
// itself, and leaves others' alarms as loud as they were.
func TestACostlyDetectorAloneRaisesNoAlarm(t *testing.T) {
	values := traffic(learned+perDay, 15)
	for i := learned + 600; i < learned+640; i++ {
		values[i] += 12 * float64(1-2*(i%2)) // a shape that never was, of ordinary size
	}
	r := request(values, learned)
	r.Detectors = []string{"window-pca", "median"}
	judged := detect(t, r)
	require.Empty(t, judged.Events)
	least := 1.0
	for _, p := range judged.Judgements[0].Probability {
		least = min(least, p)
	}
	require.Equal(t, 1e-4, least, "it is sure as it may be")
	add(values, learned+600, 40, 200)
	require.Greater(t, detect(t, r).Events[0].Score, 90.0)
}

func TestAMillionPoints(t *testing.T) {
	values := make([]float64, 1_000_000)
	random := rand.New(rand.NewPCG(4, 4))
	for i := range values {
		values[i] = 10 + random.NormFloat64()
	}
	add(values, len(values)-300, 60, 30)
	h := series.Series{Start: monday, Step: time.Second, Values: values}
	r := detect(t, anomaly.Request{History: h, From: h.Time(len(values) - 1000)})
	require.Len(t, r.Events, 1)
}

// Errors that were always zero: one failure says little after an hour or two,
// failures that go on do.
func TestWhatNeverDeviated(t *testing.T) {
	once, lasting := make([]float64, 300), make([]float64, 300)
	once[250] = 0.3
	add(lasting, 250, 50, 0.3)
	require.Empty(t, detect(t, request(once, 150)).Events)
	r := detect(t, request(lasting, 150))
	require.Len(t, r.Events, 1)
	require.WithinDuration(t, monday.Add(250*time.Minute), r.Events[0].Start, 15*time.Minute)
	require.False(t, math.Signbit(r.Score[0]), "nothing unusual is 0, not -0")
}
