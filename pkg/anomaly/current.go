package anomaly

import (
	"math"
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
	if !at.Before(start) && !at.After(end) && peak > score && !math.IsInf(peak, 0) {
		return peak
	}
	return score
}

// floorScore rounds downwards, so that what is shown reaches a threshold only
// where it did.
func floorScore(score float64) float64 { return math.Floor(score*scoreSteps) / scoreSteps }
