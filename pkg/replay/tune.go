package replay

import (
	"math"
	"time"
)

// week is what rates of pages are given for.
const week = 7 * 24 * time.Hour

// PerWeek is a number of pages as a rate.
func PerWeek(pages int, over time.Duration) float64 {
	if over <= 0 {
		return math.NaN()
	}
	return float64(pages) * float64(week) / float64(over)
}

// Choice is one way to set a rule, and what it did over the part of the past that it
// is chosen on.
type Choice struct {
	PerWeek float64
	// Recall is the share of known incidents that it found; NaN where too few are
	// known.
	Recall float64
	// Strictness orders choices that do equally well: the less strict is preferred,
	// as it alerts earlier.
	Strictness float64
}

// Wish is what a rule should do.
type Wish struct {
	// PagesPerWeek is how many pages there may be at most.
	PagesPerWeek float64
	// Recall is how many of the incidents should be found; 0 for no such wish.
	Recall float64
}

// Choose is the number of the choice that meets the wish best, and whether it meets
// it. With a wished recall it is the one with the fewest pages that finds so many;
// otherwise, of those with few enough pages, the one that finds the most, and of
// equal ones the least strict. Where none meets the wish it is the nearest.
func Choose(choices []Choice, w Wish) (best int, met bool) {
	best = -1
	for i, c := range choices {
		if best < 0 || w.better(c, choices[best]) {
			best = i
		}
	}
	return best, best >= 0 && w.meets(choices[best])
}

func (w Wish) meets(c Choice) bool {
	if w.Recall > 0 {
		return c.Recall >= w.Recall
	}
	return c.PerWeek <= w.PagesPerWeek
}

func (w Wish) better(a, b Choice) bool {
	if meets := w.meets(a); meets != w.meets(b) {
		return meets
	} else if w.Recall > 0 {
		if !meets && a.Recall != b.Recall {
			return a.Recall > b.Recall
		}
		if a.PerWeek != b.PerWeek {
			return a.PerWeek < b.PerWeek
		}
		return a.Strictness < b.Strictness
	} else if !meets && a.PerWeek != b.PerWeek {
		return a.PerWeek < b.PerWeek
	}
	if a.Recall != b.Recall && !math.IsNaN(a.Recall) && !math.IsNaN(b.Recall) {
		return a.Recall > b.Recall
	}
	return a.Strictness < b.Strictness
}
