package anomaly

import (
	"math"
	"slices"
	"time"
)

// clock is what the clocks of a place show: where they are set back or forward,
// days and weeks go on at another point of a regular grid.
type clock struct {
	from  []int // points from which on the clock is ahead, ascending
	ahead []int // points that it is ahead then, of what it was at the first point
}

// clockOf is the clock of start's location over n points. Where it changes by no
// whole number of steps, or never, it goes on evenly.
func clockOf(start time.Time, step time.Duration, n int) clock {
	var c clock
	offset := func(t time.Time) time.Duration {
		_, seconds := t.Zone()
		return time.Duration(seconds) * time.Second
	}
	if step <= 0 || int64(n) > math.MaxInt64/int64(step) {
		return c
	}
	last := start.Add(time.Duration(n) * step)
	for t := start; ; {
		_, change := t.ZoneBounds()
		if change.IsZero() || !change.Before(last) {
			return c
		}
		if !change.After(t) {
			t = t.AddDate(0, 0, 1) // beyond its tables, Go may stand still at a year's end
			continue
		}
		t = change
		ahead := offset(change) - offset(start)
		if ahead%step != 0 {
			return clock{}
		}
		c.from = append(c.from, int((change.Sub(start)+step-1)/step))
		c.ahead = append(c.ahead, int(ahead/step))
	}
}

// shows is the point of an even clock that this one shows at point i.
func (c clock) shows(i int) int {
	at, found := slices.BinarySearch(c.from, i)
	if !found {
		at--
	}
	if at < 0 {
		return i
	}
	return i + c.ahead[at]
}

// lay puts values where the clock shows them: an hour that it leaves out is
// missing, of one that it shows twice the first counts.
func (c clock) lay(values []float64) []float64 {
	if len(c.from) == 0 {
		return values
	}
	laid := make([]float64, 0, len(values))
	for i, v := range values {
		for len(laid) < c.shows(i) {
			laid = append(laid, math.NaN())
		}
		if len(laid) == c.shows(i) {
			laid = append(laid, v)
		}
	}
	return laid
}
