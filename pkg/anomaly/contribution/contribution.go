// Package contribution splits the change of a metric over the values of a label.
// Parts of sums and of ratios are exact: they add up to the change. Histograms are
// split by the share of observations beyond a limit, which is a ratio.
//
// Of several labels the one is reported first in which a single value carries most of
// the change, beyond its usual part of the metric (the idea of Adtributor, Bhagwan
// et al., NSDI 2014: explanatory power, surprise and succinctness).
package contribution

import (
	"cmp"
	"math"
	"slices"
)

// Period is a sum, or a ratio's numerator and denominator, of one value of a label
// in one period. Of a sum Denominator is 0.
type Period struct{ Numerator, Denominator float64 }

// Value is a value of a label in both periods.
type Value struct {
	Name        string
	Before, Now Period
}

// Part is what one value contributed to the change.
type Part struct {
	Name string
	// Before and Now are the value's own sum, or ratio; NaN where it has none.
	Before, Now float64
	// Change is its part of the metric's change, in the metric's unit. Own is what
	// of it came of its own ratio, and Mix what of its weight; of sums all is own.
	Change, Own, Mix float64
	// Share is the part of the whole change: 1 for a value that carries all of it,
	// more where others went the other way.
	Share float64
	// Usual is its part of the metric before: of the sum, or of the denominator.
	Usual float64
}

// Split is the change of a metric by one label.
type Split struct {
	Label       string
	Before, Now float64 // of the whole
	// Parts are those of all values, the largest in the direction of the change
	// first.
	Parts []Part
	// Score is by how much the share of the first value exceeds its usual part, 0–1:
	// 0 where all values moved alike.
	Score float64
}

// Change is by how much the metric changed.
func (s Split) Change() float64 { return s.Now - s.Before }

// Of splits a change over the values of a label: of a sum, or of a ratio.
func Of(label string, values []Value, isRatio bool) Split {
	var before, now Period
	for _, v := range values {
		before, now = plus(before, v.Before), plus(now, v.Now)
	}
	s := Split{Label: label, Before: level(before, isRatio), Now: level(now, isRatio)}
	change := s.Change()
	for _, v := range values {
		p := Part{Name: v.Name, Before: level(v.Before, isRatio), Now: level(v.Now, isRatio)}
		if isRatio {
			p.Usual = quotient(v.Before.Denominator, before.Denominator)
			weight := quotient(v.Now.Denominator, now.Denominator)
			// The two add up to what the value adds to the ratio's change.
			p.Own = weight * difference(p.Now, p.Before)
			p.Mix = (weight - p.Usual) * difference(known(p.Before, p.Now), s.Before)
			p.Change = p.Own + p.Mix
		} else {
			p.Usual = quotient(v.Before.Numerator, before.Numerator)
			p.Change = v.Now.Numerator - v.Before.Numerator
			p.Own = p.Change
		}
		p.Share = quotient(p.Change, change)
		s.Parts = append(s.Parts, p)
	}
	slices.SortStableFunc(s.Parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Name, b.Name))
	})
	if len(s.Parts) > 1 {
		s.Score = min(1, max(0, min(1, s.Parts[0].Share)-max(0, s.Parts[0].Usual)))
	}
	return s
}

// Rank orders splits: the label first that tells most. Labels with the same parts
// under other names tell no more than the first of them.
func Rank(splits []Split) []Split {
	ranked := slices.Clone(splits)
	slices.SortStableFunc(ranked, func(a, b Split) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(len(a.Parts), len(b.Parts)), cmp.Compare(a.Label, b.Label))
	})
	return ranked
}

func plus(a, b Period) Period {
	return Period{a.Numerator + b.Numerator, a.Denominator + b.Denominator}
}

func level(p Period, isRatio bool) float64 {
	if !isRatio {
		return p.Numerator
	}
	if p.Denominator == 0 {
		return math.NaN()
	}
	return p.Numerator / p.Denominator
}

// known is the first that is a number: a value that was not there before changes
// nothing of itself, and all by being there.
func known(a, b float64) float64 {
	if math.IsNaN(a) {
		return b
	}
	return a
}

func difference(a, b float64) float64 {
	if math.IsNaN(a) || math.IsNaN(b) {
		return 0
	}
	return a - b
}

func quotient(a, b float64) float64 {
	if b == 0 || math.IsNaN(a) || math.IsNaN(b) {
		return 0
	}
	return a / b
}
