package anomaly

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	slotLength = 15 * time.Minute
	// minDays is how many days it takes to tell a recurring extreme from a
	// single incident.
	minDays     = 3
	daysPerWeek = 7
	calmest     = 0.5 // least scale of a slot as a share of the whole
)

// scale is how far residuals usually stray, by time of the week and side.
type scale struct {
	perDay       int // points
	slot         int // points
	slots        int // per day
	days         int // 7, or 1 where all days are alike
	above, below []float64
}

// learnScale takes residuals from some midnight on, and what is left against the
// pattern that will judge: a job that comes on half of the nights is on one side of
// either. The scale of a slot follows
// the extremes that recur there. It is never below the resolution of the data:
// between two values that a metric can have there is nothing to be seen.
func learnScale(residual, against []float64, resolution float64, step time.Duration, c Constants) scale {
	whole := stats.Spread(residual)
	if math.IsNaN(whole) {
		whole = 0
	}
	whole = max(whole, resolution)
	day := int(24 * time.Hour / step)
	slot := max(int(slotLength/step), 1)
	if day < 4 || len(residual) < minDays*day || whole == 0 {
		return scale{perDay: 1, slot: 1, slots: 1, days: 1, above: []float64{whole}, below: []float64{whole}}
	}
	s := scale{perDay: day, slot: slot, slots: (day + slot - 1) / slot, days: 1}
	if len(residual) >= 2*daysPerWeek*day {
		s.days = daysPerWeek
	}
	s.above = s.recurring(residual, against, 1, c)
	s.below = s.recurring(residual, against, -1, c)
	for _, side := range [][]float64{s.above, s.below} {
		typical := stats.Median(side)
		for i := range side {
			ratio := 1.0
			if typical > 0 {
				ratio = max(side[i]/typical, calmest)
			}
			side[i] = max(whole*ratio, resolution)
		}
	}
	return s
}

// recurring is, per slot, the largest residual on one side that recurs in the
// slot and its neighbours: on a share of the days at that time, or of the weeks
// at that weekday and time, and at least twice. A nightly or a weekly job does,
// incidents do not, however many there were.
func (s scale) recurring(residual, against []float64, side float64, c Constants) []float64 {
	days := (len(residual) + s.perDay - 1) / s.perDay
	largest := make([]float64, days*s.slots)
	for i, e := range residual {
		at := i/s.perDay*s.slots + i%s.perDay/s.slot
		for _, e := range [...]float64{e, against[i]} {
			if side*e > largest[at] { // NaN is not
				largest[at] = side * e
			}
		}
	}
	sizes := make([]float64, s.days*s.slots)
	around := make([]float64, 0, days)
	for slot := range s.slots {
		near := func(first, apart int) []float64 {
			around = around[:0]
			for d := first; d < days; d += apart {
				at := d*s.slots + slot
				around = append(around, max(largest[max(at-1, 0)], largest[at], largest[min(at+1, len(largest)-1)]))
			}
			return around
		}
		daily := comesAgain(near(0, 1), c.RecurringDays)
		for weekday := range s.days {
			size := daily
			if s.days > 1 {
				size = max(size, comesAgain(near(weekday, daysPerWeek), c.RecurringWeeks))
			}
			sizes[weekday*s.slots+slot] = size
		}
	}
	return sizes
}

// comesAgain is the size that a share of the extremes reaches, and at least two.
func comesAgain(extremes []float64, share float64) float64 {
	n := len(extremes)
	if n < 2 {
		return 0
	}
	slices.Sort(extremes)
	return extremes[n-max(int(math.Ceil(share*float64(n))), 2)]
}

// at is the scale of a residual at point i.
func (s scale) at(i int, residual float64) float64 {
	slot := i/s.perDay%s.days*s.slots + i%s.perDay/s.slot
	if residual < 0 {
		return s.below[slot]
	}
	return s.above[slot]
}

// standardised is a residual divided by its scale; 0/0 is an ordinary 0.
func (s scale) standardised(i int, residual float64) float64 {
	if residual == 0 {
		return 0
	}
	return min(max(residual/s.at(i, residual), -farthest), farthest)
}

// minAlike is how many times each value of discrete data comes on average.
const minAlike = 5

// resolution is the least distance between two of the values of discrete data,
// such as counts; zero for data that are continuous or constant.
func resolution(y []float64) float64 {
	observed := stats.Observed(y)
	if len(observed) < minAlike {
		return 0
	}
	most := len(observed) / minAlike
	different := make(map[float64]struct{}, min(most, 64))
	for _, v := range observed {
		if different[v] = struct{}{}; len(different) > most {
			return 0 // which continuous data show soon
		}
	}
	sorted := slices.Sorted(maps.Keys(different))
	least := math.Inf(1)
	for i := 1; i < len(sorted); i++ {
		least = min(least, sorted[i]-sorted[i-1])
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}
