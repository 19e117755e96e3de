package forecast_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/forecast"
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
