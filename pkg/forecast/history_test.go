package forecast_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// A past incident does not teach; a change of level that lasts does.
func TestAnIncidentDoesNotTeachButAShiftDoes(t *testing.T) {
	day := 288
	for _, c := range []struct {
		name   string
		shift  bool
		change func(i int) float64 // of 14 days and the one after
	}{
		{"nothing", false, func(int) float64 { return 0 }},
		{"an outage of two hours yesterday", false, func(i int) float64 {
			if i >= 13*day-100 && i < 13*day-76 {
				return -90
			}
			return 0
		}},
		{"six hours of ten times as much three days ago", false, func(i int) float64 {
			if i >= 11*day && i < 11*day+72 {
				return 1000
			}
			return 0
		}},
		{"one wild hour that just ended", false, func(i int) float64 {
			if i >= 14*day-15 && i < 14*day-3 {
				return 1000
			}
			return 0
		}},
		{"twice as much since Friday morning", true, func(i int) float64 {
			if i >= 11*day+100 {
				return 100
			}
			return 0
		}},
		{"half as much for twelve hours", true, func(i int) float64 {
			if i >= 13*day+day/2 {
				return -45
			}
			return 0
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			values := traffic(15*day, 5*time.Minute, 21)
			for i := range values {
				values[i] += c.change(i)
			}
			r, err := forecast.Run(forecast.Request{History: history(5*time.Minute, values[:14*day]), Horizon: day / 2})
			require.NoError(t, err)
			sum := 0.0
			for h, v := range r.Mean {
				sum += math.Abs(v - values[14*day+h])
			}
			wrong, width := sum/float64(len(r.Mean)), r.Intervals[0].Upper[20]-r.Intervals[0].Lower[20]
			t.Logf("%.2f, width %.1f, %q", wrong, width, r.Notices)
			require.Less(t, wrong, 12.0, "noise alone gives 4")
			require.Less(t, width, 70.0, "noise alone needs 20")
			require.Equal(t, c.shift, strings.Contains(strings.Join(r.Notices, "\n"), "the level changed"))
		})
	}
}

// A load that all but stops at night must not fall below zero where an incident
// is cut off: no model on a logarithm would fit.
func TestAnIncidentOfALoadThatIsZeroAtNight(t *testing.T) {
	for _, depth := range []float64{0.97, 0.99} {
		var values []float64
		for i := range 13*48 + 24 {
			value := 1000 * (1 - depth*math.Cos(2*math.Pi*float64(i)/48) + 0.02*math.Sin(float64(i)*1.7))
			if i > 12*48+20 && i < 13*48+8 {
				value *= 0.02
			}
			values = append(values, max(0, math.Round(value)))
		}
		_, err := forecast.Run(forecast.Request{
			History: series.Series{Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Step: 30 * time.Minute, Values: values},
			Horizon: 1, Model: forecast.Auto, NonNegative: true, Probabilities: []float64{0.9},
		})
		require.NoError(t, err)
	}
}

// A metric that began lately, or was silent for most of the time, is forecast
// from what there is.
func TestAHistoryThatIsMostlyMissing(t *testing.T) {
	day := 288
	whole := traffic(14*day, 5*time.Minute, 7)
	began := append(slices.Repeat([]float64{math.NaN()}, 11*day), whole[11*day:]...)
	r, err := forecast.Run(forecast.Request{History: history(5*time.Minute, began), Horizon: 12})
	require.NoError(t, err)
	late := series.Series{Start: monday.Add(11 * 24 * time.Hour), Step: 5 * time.Minute, Values: whole[11*day:]}
	short, err := forecast.Run(forecast.Request{History: late, Horizon: 12})
	require.NoError(t, err)
	require.Equal(t, short, r, "what is missing in front changes nothing")

	silent := slices.Clone(began)
	copy(silent, whole[:10])
	r, err = forecast.Run(forecast.Request{History: history(5*time.Minute, silent), Horizon: 12})
	require.NoError(t, err)
	require.InDelta(t, short.Mean[0], r.Mean[0], 10)

	rolled, err := forecast.Rolling(forecast.Request{History: history(5*time.Minute, began)}, 13*day)
	require.NoError(t, err)
	require.Less(t, missBy(rolled.Expected, began, 13*day), 12.0)
}

// Of a history too long to learn from all of it the rolling forecast is in step
// with the data none the less.
func TestRollingOverALongHistory(t *testing.T) {
	day := 288
	values := traffic(22*day, 5*time.Minute, 8)
	rolled, err := forecast.Rolling(forecast.Request{History: history(5*time.Minute, values)}, 21*day)
	require.NoError(t, err)
	require.Less(t, missBy(rolled.Expected, values, 12*day), 5.5)
}

func missBy(expected, values []float64, from int) float64 {
	sum := 0.0
	for i := from; i < len(values); i++ {
		sum += math.Abs(values[i] - expected[i])
	}
	return sum / float64(len(values)-from)
}

// Bursts around a level that moved are no reason to expect the latest burst, nor
// the level of long ago.
func TestNoiseAroundALevelThatMovedIsForecastByItsRecentLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 3))
	values := make([]float64, 200)
	for i := range values {
		values[i] = 100 * math.Exp(0.4*random.NormFloat64())
		if i >= 140 {
			values[i] *= 3
		}
		if random.IntN(9) == 0 {
			values[i] *= 6
		}
	}
	r, err := forecast.Run(forecast.Request{History: history(24*time.Hour, values), Horizon: 14, Seasons: []time.Duration{48 * time.Hour}})
	require.NoError(t, err)
	require.Contains(t, r.Parameters, "weight.recent-level", "%v", r.Parameters)
	for _, mean := range r.Mean {
		require.InDelta(t, 350, mean, 200, "bursts reach 1800, the level before was 100")
	}
	// Of a random walk the latest value says more.
	for i := 1; i < len(values); i++ {
		values[i] = values[i-1] + random.NormFloat64()
	}
	r, err = forecast.Run(forecast.Request{History: history(24*time.Hour, values), Horizon: 14})
	require.NoError(t, err)
	require.NotContains(t, r.Parameters, "weight.recent-level")
}
