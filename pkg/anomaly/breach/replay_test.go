package breach_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
	"github.com/foresight-observability/foresight/pkg/series"
)

// TestAReplayIsAsManyEvaluations compares with a prediction at each instant. The
// last world grows a thousandfold after midnight, so that a unit taken from what
// is judged would change what is learned.
func TestAReplayIsAsManyEvaluations(t *testing.T) {
	const day = 24 * time.Hour
	begun := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, shape := range map[string]func(i int, v float64) float64{
		"ordinary": func(i int, v float64) float64 { return v },
		"gaps":     func(i int, v float64) float64 { return either(i%300 > 250, math.NaN(), v) },
		"young":    func(i int, v float64) float64 { return either(i < 4*288+30, math.NaN(), v) },
		"growing":  func(i int, v float64) float64 { return either(i > 4*288+20, v*1000, v) },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			whole := series.Series{Start: begun, Step: 5 * time.Minute, Values: make([]float64, 6*288)}
			for i := range whole.Values {
				v := 50 + 10*math.Sin(2*math.Pi*float64(i)/288) + 2*r.NormFloat64()
				if i%1200 > 1150 {
					v += float64(i%1200 - 1150)
				}
				whole.Values[i] = shape(i, v)
			}
			request := breach.Request{Past: 3 * day, Threshold: 80, Horizon: time.Hour, Models: anomaly.NewModels(64 << 20)}
			var got, want []float64
			var spans []anomaly.Span
			certain := 0
			replay := func() {
				run := request
				run.History = whole.Between(anomaly.Epoch(spans[0].From, whole.Step).Add(-3*day), whole.Time(whole.Len()))
				course, err := breach.Replay(run, spans)
				require.NoError(t, err)
				got, spans = append(got, course.Latest...), nil
			}
			for at := begun.Add(4*day - time.Hour); at.Before(begun.Add(5 * day)); at = at.Add(35 * time.Minute) {
				s := anomaly.Span{From: series.Floor(at.Add(-30*time.Minute), whole.Step), To: series.Floor(at, whole.Step)}
				if len(spans) > 0 && !anomaly.Epoch(s.From, whole.Step).Equal(anomaly.Epoch(spans[0].From, whole.Step)) {
					replay()
				}
				spans = append(spans, s)
				one := request
				one.From = s.From
				one.History = whole.Between(anomaly.Epoch(s.From, whole.Step).Add(-3*day), s.To.Add(whole.Step))
				result, err := breach.Predict(one)
				require.NoError(t, err)
				want = append(want, anomaly.Latest(result.Probability))
				if want[len(want)-1] > 0 {
					certain++
				}
			}
			replay()
			require.Len(t, got, len(want))
			for i := range want {
				require.Equal(t, math.Float64bits(want[i]), math.Float64bits(got[i]), "evaluation %d: want %v, got %v", i, want[i], got[i])
			}
			require.Positive(t, certain)
		})
	}
}

func either(condition bool, yes, no float64) float64 {
	if condition {
		return yes
	}
	return no
}
