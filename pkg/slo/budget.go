package slo

import (
	"math"
	"time"
)

// Budget is what an objective allowed over its window, and what became of it.
type Budget struct {
	// Total, Bad and Allowed count requests in the window. Allowed is how many might
	// have been bad.
	Total, Bad, Allowed float64
	// Left is the part of the budget that is left: 1 for all, 0 for none, below 0
	// where more was burnt; NaN without requests.
	Left float64
	// Covered is the part of the window, 0–1, that has data.
	Covered float64
}

// Of is the budget at the last step.
func (o Objective) Of(c Counts) Budget {
	w := c.points(o.Window)
	total, bad := c.sum(c.Len()-w, c.Len())
	covered := Counts{Total: c.Total[max(c.Len()-w, 0):]}.Observed()
	return Budget{total, bad, total * o.Budget(), o.left(total, bad), float64(covered) / float64(w)}
}

func (o Objective) left(total, bad float64) float64 {
	if total <= 0 {
		return math.NaN()
	}
	return 1 - bad/(total*o.Budget())
}

// Course is what was left after each of the steps from the given one on.
func (o Objective) Course(c Counts, from int) []float64 {
	return slide(c, from, c.points(o.Window), o.left)
}

// Burning is the burn rate over a time that ends with each of the steps from the
// given one on: 1 burns exactly the budget over a whole window. It is NaN without
// requests.
func (o Objective) Burning(c Counts, from int, over time.Duration) []float64 {
	return slide(c, from, c.points(over), func(total, bad float64) float64 {
		if total <= 0 {
			return math.NaN()
		}
		return bad / total / o.Budget()
	})
}

// Burn is the burn rate over a time that ends with the last step.
func (o Objective) Burn(c Counts, over time.Duration) float64 {
	if c.Len() == 0 {
		return math.NaN()
	}
	return o.Burning(c, c.Len()-1, over)[0]
}

// slide evaluates the sums over the last width steps of each step from from on.
func slide(c Counts, from, width int, of func(total, bad float64) float64) []float64 {
	from = max(from, 0)
	values := make([]float64, 0, max(c.Len()-from, 0))
	total, bad, begun := 0.0, 0.0, false
	for i := from; i < c.Len(); i++ {
		if !begun {
			total, bad = c.sum(i-width+1, i+1)
			begun = true
		} else {
			n, b := c.at(i)
			left, leftBad := c.at(i - width)
			total, bad = total+n-left, bad+b-leftBad
		}
		// What sums leave over where all was taken off again is no request.
		if total < 1e-9 {
			total, bad = 0, 0
		}
		values = append(values, of(total, max(bad, 0)))
	}
	return values
}
