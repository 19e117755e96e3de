// Package journey judges how users get through a list of steps, each of which is
// requests of one kind: how many succeed, how many go on, and at which step more
// of them are lost than usual. A request stands for a user.
package journey

import (
	"math"
	"slices"
)

// Step is what was measured of one step, at each point of a grid that all steps
// share. NaN is not known.
type Step struct {
	Name string
	// Requests and Failed are per minute, Latency is the mean in seconds.
	Requests, Failed, Latency []float64
}

// occurs says that the step was ever requested.
func (s Step) occurs() bool {
	return slices.ContainsFunc(s.Requests, func(v float64) bool { return v > 0 })
}

// Stats sum up a step over some time. NaN is not known.
type Stats struct {
	Requests float64 // per minute
	Success  float64 // share of them, 0–1
	Latency  float64 // mean in seconds
	// Passed is the requests over those of the step before: above 1 where the step
	// is requested more than once by a user. NaN for the first step.
	Passed float64
}

// Over sums up each step over the points from ≤ i < to.
func Over(steps []Step, from, to int) []Stats {
	all := make([]Stats, len(steps))
	before := math.NaN()
	for i, s := range steps {
		var requests, failed, seconds, timed float64
		points := 0
		for k := max(0, from); k < min(to, len(s.Requests)); k++ {
			r := s.Requests[k]
			if math.IsNaN(r) {
				continue
			}
			points++
			requests += r
			failed += known(at(s.Failed, k))
			if latency := at(s.Latency, k); r > 0 && !math.IsNaN(latency) {
				seconds += latency * r
				timed += r
			}
		}
		all[i] = Stats{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		if points > 0 {
			all[i].Requests = requests / float64(points)
		}
		if requests > 0 {
			all[i].Success = 1 - min(1, failed/requests)
		}
		if timed > 0 {
			all[i].Latency = seconds / timed
		}
		if before > 0 {
			all[i].Passed = all[i].Requests / before
		}
		before = all[i].Requests
	}
	return all
}

// at is the value at a point; NaN where there is none.
func at(values []float64, k int) float64 {
	if k < 0 || k >= len(values) {
		return math.NaN()
	}
	return values[k]
}

// known is a count, 0 where it is missing.
func known(v float64) float64 {
	if v > 0 {
		return v
	}
	return 0
}

// Whole is the journey as one, at each point. NaN is not known.
type Whole struct {
	// Completions are the successful requests of the last step per minute.
	Completions []float64
	// Conversion is the requests of the last step over those of the first.
	Conversion []float64
	// Success is the probability that no step fails, 0–1.
	Success []float64
	// Latency is the sum of the steps' means, in seconds.
	Latency []float64
}

// Together makes the whole of the steps that occur. A step that is silent while
// the first one is requested counts as not requested: a service that is gone is
// no gap in the telemetry.
func Together(steps []Step) Whole {
	steps = slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return !s.occurs() })
	var w Whole
	if len(steps) == 0 {
		return w
	}
	first, last := steps[0], steps[len(steps)-1]
	for k := range first.Requests {
		begun, ended := first.Requests[k], at(last.Requests, k)
		if math.IsNaN(ended) && begun > 0 {
			ended = 0
		}
		w.Completions = append(w.Completions, max(0, ended-known(at(last.Failed, k))))
		if math.IsNaN(ended) {
			w.Completions[k] = math.NaN()
		}
		conversion, success, latency := math.NaN(), 1.0, 0.0
		if begun > 0 {
			conversion = ended / begun
		}
		for _, s := range steps {
			requests := at(s.Requests, k)
			if !(requests > 0) {
				success = math.NaN() // nobody tried
				latency = math.NaN()
				break
			}
			success *= 1 - min(1, known(at(s.Failed, k))/requests)
			latency += at(s.Latency, k)
		}
		w.Conversion = append(w.Conversion, conversion)
		w.Success, w.Latency = append(w.Success, success), append(w.Latency, latency)
	}
	return w
}

// State walks along scores: a journey becomes abnormal at a score of on, and
// normal again after it was below off for rest points. It is 1 while abnormal, 0
// while normal, NaN where no score is known. Nothing is kept between two calls,
// so that every replica and every retry says the same.
func State(scores []float64, on, off float64, rest int) float64 {
	state, quiet := math.NaN(), 0
	for _, score := range scores {
		switch {
		case math.IsNaN(score):
		case score >= on:
			state, quiet = 1, 0
		case state == 1 && score < off:
			if quiet++; quiet >= rest {
				state = 0
			}
		case state == 1:
			quiet = 0
		default:
			state = 0
		}
	}
	return state
}
