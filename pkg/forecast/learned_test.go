package forecast_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/forecast"
)

func learn(t testing.TB, step time.Duration, values []float64, horizon int) *forecast.Learned {
	l, err := forecast.Learn(forecast.Request{
		History: history(step, values), Horizon: horizon, Probabilities: []float64{0.8, 0.95},
	})
	require.NoError(t, err)
	return l
}

func TestLearnedFollowsTheData(t *testing.T) {
	for _, step := range []time.Duration{time.Minute, 5 * time.Minute} {
		perDay := int(24 * time.Hour / step)
		values := traffic(15*perDay, step, 3)
		l := learn(t, step, values[:14*perDay], perDay/4)
		for _, v := range values[14*perDay : 14*perDay+perDay/2] {
			l.Observe(v)
		}
		r := l.Forecast()
		requireSound(t, r, perDay/4)
		require.Equal(t, monday.Add(14*24*time.Hour+12*time.Hour), r.Start)
		wrong := 0.0
		for h, v := range r.Mean {
			wrong += math.Abs(v-values[14*perDay+perDay/2+h]) / float64(len(r.Mean))
		}
		require.Less(t, wrong, 8.0, "noise alone gives 4")
	}
}

func TestLearnedIntervalsAdapt(t *testing.T) {
	values := traffic(28*24, time.Hour, 4)
	l := learn(t, time.Hour, values, 24)
	before := l.Forecast()
	random := rand.New(rand.NewPCG(1, 2))
	inside := 0
	live := traffic(150*24, time.Hour, 4)[28*24:]
	for i, v := range live {
		v += 15 * random.NormFloat64() // noisier than anything learned
		r := l.Forecast()
		if i >= len(live)/2 && v >= r.Intervals[1].Lower[0] && v <= r.Intervals[1].Upper[0] {
			inside++
		}
		l.Observe(v)
	}
	after := l.Forecast()
	width := func(r forecast.Result, i int) float64 { return r.Intervals[i].Upper[0] - r.Intervals[i].Lower[0] }
	require.Greater(t, width(after, 1), 1.3*width(before, 1))
	require.GreaterOrEqual(t, width(after, 1), width(after, 0))
	require.InDelta(t, 0.95, float64(inside)/float64(len(live)/2), 0.015)
}

func TestLearnedBearsGaps(t *testing.T) {
	l := learn(t, time.Hour, traffic(28*24, time.Hour, 4), 24)
	for range 100 {
		l.Observe(math.NaN())
		l.Observe(math.Inf(1))
	}
	requireSound(t, l.Forecast(), 24)
}

func BenchmarkLearnedForecast(b *testing.B) {
	l := learn(b, 5*time.Minute, traffic(14*288, 5*time.Minute, 1), 288)
	for b.Loop() {
		l.Forecast()
	}
}

func BenchmarkLearnedObserve(b *testing.B) {
	values := traffic(15*288, 5*time.Minute, 1)
	l := learn(b, 5*time.Minute, values[:14*288], 288)
	for i := 0; b.Loop(); i++ {
		l.Observe(values[14*288+i%288])
	}
}
