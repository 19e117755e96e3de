package anomaly_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

// world is a metric with a daily rhythm, incidents, gaps and a change of level.
func world(seed uint64, start time.Time, step time.Duration, n int) series.Series {
	r := rand.New(rand.NewPCG(seed, 7))
	s := series.Series{Start: start, Step: step, Values: make([]float64, n)}
	for i := range s.Values {
		minute := float64(s.Time(i).Unix()) / 60
		v := 100 + 20*math.Sin(2*math.Pi*minute/1440) + 3*r.NormFloat64()
		switch {
		case i%2900 > 2850:
			v += 40
		case i%1777 > 1760:
			v = math.NaN()
		case i%7000 > 6985:
			v -= 60
		}
		s.Values[i] = v
	}
	return s
}

// TestAReplayIsAsManyEvaluations compares with an evaluation at each instant, for
// windows that cross midnight, a young metric, long gaps, and a coarse step.
func TestAReplayIsAsManyEvaluations(t *testing.T) {
	begun := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		step, past, window, interval time.Duration
		from, to                     time.Time // of the evaluations
		change                       func(*series.Series)
		model                        string
	}{
		"ordinary":        {step: time.Minute, past: 4 * day, window: 30 * time.Minute, interval: 7 * time.Minute, from: begun.Add(5*day + 20*time.Hour), to: begun.Add(7 * day)},
		"long window":     {step: time.Minute, past: 3 * day, window: 26 * time.Hour, interval: 41 * time.Minute, from: begun.Add(6 * day), to: begun.Add(7*day + time.Hour)},
		"uneven window":   {step: 2 * time.Minute, past: 3 * day, window: 31 * time.Minute, interval: 3 * time.Minute, from: begun.Add(6*day - time.Hour), to: begun.Add(6*day + 3*time.Hour)},
		"coarse":          {step: 2 * time.Hour, past: 28 * day, window: 12 * time.Hour, interval: 6 * time.Hour, from: begun.Add(20 * day), to: begun.Add(60 * day)},
		"named model":     {step: 10 * time.Minute, past: 3 * day, window: time.Hour, interval: 50 * time.Minute, from: begun.Add(5*day + 20*time.Hour), to: begun.Add(8 * day), model: "theta"},
		"young":           {step: time.Minute, past: 14 * day, window: 30 * time.Minute, interval: time.Minute, from: begun.Add(5*day - time.Hour), to: begun.Add(5*day + 5*time.Hour), change: missing(0, 5*1440)},
		"young, long":     {step: time.Minute, past: 14 * day, window: 30 * time.Minute, interval: 37 * time.Minute, from: begun.Add(5 * day), to: begun.Add(8 * day), change: missing(0, 5*1440+100)},
		"gap of a week":   {step: time.Minute, past: 2 * day, window: 30 * time.Minute, interval: 23 * time.Minute, from: begun.Add(5 * day), to: begun.Add(14 * day), change: missing(5*1440, 12*1440)},
		"nothing at all":  {step: time.Minute, past: 2 * day, window: 30 * time.Minute, interval: 20 * time.Minute, from: begun.Add(5 * day), to: begun.Add(6 * day), change: missing(0, 100_000)},
		"starts mid-past": {step: time.Minute, past: 10 * day, window: time.Hour, interval: 29 * time.Minute, from: begun.Add(11 * day), to: begun.Add(13 * day), change: missing(0, 8*1440+333)},
	} {
		t.Run(name, func(t *testing.T) {
			whole := world(1, begun.Add(-30*day), test.step, int(100*day/test.step))
			whole.Values = whole.Values[:whole.Index(test.to)+1]
			if test.change != nil {
				offset := whole.Index(begun)
				part := series.Series{Values: whole.Values[offset:]}
				test.change(&part)
				if name != "gap of a week" {
					for i := range offset {
						whole.Values[i] = math.NaN()
					}
				}
			}
			models := anomaly.NewModels(64 << 20)
			request := anomaly.Request{Past: test.past, Threshold: 40, NonNegative: true, MinDeviation: 5, Model: test.model, Models: models}
			var got, want []float64
			known := 0
			var spans []anomaly.Span
			begin := func(s anomaly.Span) time.Time {
				return series.Floor(anomaly.Epoch(s.From, test.step).Add(-test.past), test.step)
			}
			replay := func() {
				if len(spans) == 0 {
					return
				}
				r := request
				r.History = whole.Between(begin(spans[0]), whole.Time(whole.Len()))
				course, err := anomaly.Replay(r, spans, anomaly.Detect)
				require.NoError(t, err)
				got = append(got, course.Scores(40, 0)...)
				spans = nil
			}
			for at := test.from; !at.After(test.to); at = at.Add(test.interval) {
				s := anomaly.Span{From: series.Floor(at.Add(-test.window), test.step), To: series.Floor(at, test.step)}
				if len(spans) > 0 && !anomaly.Epoch(s.From, test.step).Equal(anomaly.Epoch(spans[0].From, test.step)) {
					replay()
				}
				spans = append(spans, s)
				r := request
				r.From = s.From
				r.History = whole.Between(begin(s), s.To.Add(test.step))
				result, err := anomaly.Detect(r)
				score := math.NaN()
				if err == nil {
					score = result.CurrentScore()
				}
				if score > 0 {
					known++
				}
				want = append(want, score)
			}
			replay()
			require.Len(t, got, len(want))
			for i := range want {
				require.Equal(t, math.Float64bits(want[i]), math.Float64bits(got[i]), "evaluation %d of %d: want %v, got %v", i, len(want), want[i], got[i])
			}
			require.Equal(t, name != "nothing at all", known > 0, "the world has something to see")
		})
	}
}

func missing(from, to int) func(*series.Series) {
	return func(s *series.Series) {
		for i := from; i < min(to, s.Len()); i++ {
			s.Values[i] = math.NaN()
		}
	}
}
