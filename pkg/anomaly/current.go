package anomaly

import (
	"math"
	"slices"
	"time"
)

// freshPoints is how many points back the latest judged one may lie: the
// newest samples may not have been scraped yet, but a series that has ended is
// "no data" and not its last score for ever.
const freshPoints = 5

// scoreSteps per point of a score are distinguished by a rule: the rest is noise.
const scoreSteps = 10

// Latest is the newest of the last few numbers; NaN where none is recent.
func Latest(values []float64) float64 {
	if at := latest(values); at >= 0 {
		return values[at]
	}
	return math.NaN()
}

// latest is the place of the newest recent number, negative for none.
func latest(values []float64) int {
	for i := len(values) - 1; i >= max(0, len(values)-freshPoints); i-- {
		if !math.IsNaN(values[i]) && !math.IsInf(values[i], 0) {
			return i
		}
	}
	return -1
}

// CurrentScore is the score a rule evaluates: that of the latest judged point
// or, as long as that point belongs to an event, the event's peak, so that a
// quiet minute inside an incident does not resolve the alert. NaN where
// nothing recent was judged.
func (r Result) CurrentScore() float64 {
	at := latest(r.Score)
	if at < 0 {
		return math.NaN()
	}
	current, when := r.Score[at], r.Actual.Time(at)
	for _, e := range r.Events {
		current = during(current, when, e.Start, e.End, e.Score)
	}
	return floorScore(current)
}

// CurrentScore is the composite's, as Result.CurrentScore is a metric's.
func (r CompositeResult) CurrentScore() float64 {
	at := latest(r.Score)
	if at < 0 {
		return math.NaN()
	}
	current, when := r.Score[at], r.Start.Add(time.Duration(at)*r.Step)
	for _, e := range r.Events {
		current = during(current, when, e.Start, e.End, e.Score)
	}
	return floorScore(current)
}

// during raises a score to the peak of an event that goes on at an instant.
func during(score float64, at, start, end time.Time, peak float64) float64 {
	if within(at, start, end) && peak > score && !math.IsInf(peak, 0) {
		return peak
	}
	return score
}

// floorScore rounds downwards, so that what is shown reaches a threshold only
// where it did.
func floorScore(score float64) float64 { return math.Floor(score*scoreSteps) / scoreSteps }

// Firing is 1 while an event goes on at the last judged point, 0 where none does,
// and NaN where no point was judged. Events have the hysteresis of the threshold.
func (r Result) Firing() float64 {
	at := latest(r.Score)
	if at < 0 {
		return math.NaN()
	}
	when := r.Actual.Time(at)
	return firing(slices.ContainsFunc(r.Events, func(e Event) bool { return within(when, e.Start, e.End) }))
}

// Firing is the composite's, as Result.Firing is a metric's.
func (r CompositeResult) Firing() float64 {
	at := latest(r.Score)
	if at < 0 {
		return math.NaN()
	}
	when := r.Start.Add(time.Duration(at) * r.Step)
	return firing(slices.ContainsFunc(r.Events, func(e CompositeEvent) bool { return within(when, e.Start, e.End) }))
}

func within(at, start, end time.Time) bool { return !at.Before(start) && !at.After(end) }

func firing(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
