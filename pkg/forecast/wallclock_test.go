package forecast_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// office is what people cause who work from nine to five by the clock on the
// wall.
func office(start time.Time, step time.Duration, n int) []float64 {
	random := rand.New(rand.NewPCG(3, 1))
	values := make([]float64, n)
	for i := range values {
		values[i] = 20 + random.NormFloat64()
		if hour := start.Add(time.Duration(i) * step).Hour(); hour >= 9 && hour < 17 {
			values[i] += 100
		}
	}
	return values
}

// meanError is that of a forecast of one day after so many days from start.
func meanError(t *testing.T, start time.Time, seen, ahead time.Duration, step time.Duration, clock *time.Location, model string) float64 {
	t.Helper()
	n, horizon := int(seen/step), int(ahead/step)
	values := office(start, step, n+horizon)
	r, err := forecast.Run(forecast.Request{
		History: series.Series{Start: start.In(clock), Step: step, Values: values[:n]}, Horizon: horizon, Model: model,
	})
	require.NoError(t, err)
	requireSound(t, r, horizon)
	sum := 0.0
	for h, v := range r.Mean {
		sum += math.Abs(v - values[n+h])
	}
	return sum / float64(horizon)
}

func TestSeasonsFollowTheClockOnTheWall(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	day := 24 * time.Hour
	for _, c := range []struct {
		name  string
		start time.Time
		seen  time.Duration
		// passed says that a whole day lies between the change and the forecast.
		passed bool
	}{
		{"summer time began two days ago", time.Date(2026, 3, 2, 0, 0, 0, 0, berlin), 29 * day, true},
		{"summer time begins tonight", time.Date(2026, 3, 1, 0, 0, 0, 0, berlin), 27*day + 20*time.Hour, false},
		{"summer time ended two days ago", time.Date(2026, 9, 28, 0, 0, 0, 0, berlin), 29 * day, true},
		{"summer time ends tonight", time.Date(2026, 9, 27, 0, 0, 0, 0, berlin), 27*day + 20*time.Hour, false},
		{"within the hour shown twice", time.Date(2026, 9, 27, 0, 0, 0, 0, berlin), 28*day + 3*time.Hour + 30*time.Minute, false},
	} {
		for _, model := range []string{"seasonal-naive", "prophet", forecast.Auto} {
			t.Run(c.name+"/"+model, func(t *testing.T) {
				aware := meanError(t, c.start, c.seen, day, 30*time.Minute, berlin, model)
				unaware := meanError(t, c.start, c.seen, day, 30*time.Minute, time.UTC, model)
				t.Logf("%.2f, without the clock %.2f", aware, unaware)
				if model == "seasonal-naive" && c.passed {
					// Yesterday has followed the new time already, and is repeated on
					// either clock.
					require.LessOrEqual(t, aware, 1.01*unaware)
					require.Less(t, aware, 1.3, "repeating a noisy value gives 1.13")
					return
				}
				require.Less(t, aware, 0.8*unaware)
			})
		}
	}
}

func TestAClockThatDoesNotChangeChangesNothing(t *testing.T) {
	values := traffic(28*24, time.Hour, 5)
	india, err := time.LoadLocation("Asia/Kolkata")
	require.NoError(t, err)
	request := forecast.Request{History: history(time.Hour, values), Horizon: 24}
	utc, err := forecast.Run(request)
	require.NoError(t, err)
	request.History.Start = request.History.Start.In(india)
	local, err := forecast.Run(request)
	require.NoError(t, err)
	require.Equal(t, utc.Mean, local.Mean)
	require.Equal(t, utc.Intervals, local.Intervals)
}

func TestAStepThatTheClockDoesNotKeepIsTold(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, berlin)
	r, err := forecast.Run(forecast.Request{
		History: series.Series{Start: start, Step: 6 * time.Hour, Values: office(start, 6*time.Hour, 160)}, Horizon: 8,
	})
	require.NoError(t, err)
	require.Contains(t, r.Notices, "the clock of Europe/Berlin changes by less than the step of 6h, so seasons do not follow it")
}

// Events keep their instants on both sides of a change of the clock.
func TestEventsOnAChangingClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	start := time.Date(2026, 3, 9, 0, 0, 0, 0, berlin)
	n := 27 * 24
	values := office(start, time.Hour, n)
	var events []forecast.Event
	for _, at := range []int{100, 230, 330, 410, 510, 600, n + 5} {
		from := start.Add(time.Duration(at) * time.Hour)
		events = append(events, forecast.Event{Name: "campaign", Start: from, End: from.Add(3 * time.Hour)})
		for i := at; i < min(at+3, n); i++ {
			values[i] += 200
		}
	}
	r, err := forecast.Run(forecast.Request{
		History: series.Series{Start: start, Step: time.Hour, Values: values}, Horizon: 12, Events: events,
	})
	require.NoError(t, err)
	for h := range 3 {
		require.Greater(t, r.Mean[5+h]-r.Mean[2], 100.0)
	}
	require.Less(t, r.Mean[8]-r.Mean[2], 100.0)
}
