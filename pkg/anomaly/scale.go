package anomaly

import (
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	slotLength = 15 * time.Minute
	// fewestDays is how many days it takes to tell a recurring extreme from a
	// single incident.
	fewestDays = 3
	calmest    = 0.5 // least scale of a slot as a share of the whole
)

// scale is how far residuals usually stray, by time of day and side.
type scale struct {
	perDay       int // points
	slot         int // points
	above, below []float64
}

// learnScale takes residuals from some midnight on. The scale of a slot of the
// day follows the second largest of its daily extremes: an incident, which
// comes once, does not widen it; a nightly job, which comes again, does.
func learnScale(residual []float64, step time.Duration) scale {
	whole := stats.Spread(residual)
	if math.IsNaN(whole) {
		whole = 0
	}
	day := int(24 * time.Hour / step)
	slot := max(int(slotLength/step), 1)
	if day < 4 || len(residual) < fewestDays*day || whole == 0 {
		return scale{perDay: 1, slot: 1, above: []float64{whole}, below: []float64{whole}}
	}
	s := scale{perDay: day, slot: slot}
	slots := (day + slot - 1) / slot
	s.above = recurring(residual, day, slot, slots, 1)
	s.below = recurring(residual, day, slot, slots, -1)
	for _, side := range [][]float64{s.above, s.below} {
		typical := stats.Median(side)
		for i := range side {
			ratio := 1.0
			if typical > 0 {
				ratio = max(side[i]/typical, calmest)
			}
			side[i] = whole * ratio
		}
	}
	return s
}

// recurring is, per slot of the day, the second largest of the days' largest
// residuals on one side in the slot and its neighbours.
func recurring(residual []float64, day, slot, slots int, side float64) []float64 {
	days := (len(residual) + day - 1) / day
	largest := make([][]float64, slots)
	for s := range largest {
		largest[s] = make([]float64, days)
	}
	for i, e := range residual {
		if s := i % day / slot; side*e > largest[s][i/day] {
			largest[s][i/day] = side * e
		}
	}
	second := make([]float64, slots)
	around := make([]float64, days)
	for s := range second {
		for d := range around {
			around[d] = max(largest[(s+slots-1)%slots][d], largest[s][d], largest[(s+1)%slots][d])
		}
		slices.Sort(around)
		second[s] = around[days-2]
	}
	return second
}

// at is the scale of a residual at point i.
func (s scale) at(i int, residual float64) float64 {
	slot := i % s.perDay / s.slot
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
