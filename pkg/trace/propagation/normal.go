package propagation

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// normal is what a service's signal is without an anomaly.
type normal struct {
	level    float64 // NaN where it is unknown
	spread   float64 // of one step with the usual number of requests
	requests float64 // usual number in a step
	points   int     // that the level rests on
	seen     float64 // requests that a level of failures rests on
}

const (
	// minRelativeSpread is the least standard deviation of a latency, as a part of
	// its level: differences below are of no interest.
	minRelativeSpread = 0.02
	// tail and tailDeviations bound the spread from below by the tail of the past:
	// latencies are not normal.
	tail, tailDeviations = 0.99, 2.33
)

// normalOf learns the level from the time just before, and the spread from the
// past, relative to the past's own level: systems change between the two.
func normalOf(s Service, q Question) normal {
	values := s.Latency
	if q.Signal == Failures {
		values = s.Failed
	}
	past, recent := stats.Observed(between(values, 0, q.Recent)), stats.Observed(between(values, q.Recent, q.From))
	n := normal{level: math.NaN(), points: len(recent)}
	switch {
	case len(recent) > 0:
		n.level = stats.MedianOf(recent)
	case len(past) > 0:
		n.level, n.points = stats.MedianOf(past), len(past)
	default:
		return n
	}
	n.requests = usual(s.Requests, q)
	if q.Signal == Failures {
		n.level, n.seen = failedBefore(s, q)
		n.spread = spreadOf(past)
		return n
	}
	spread := spreadOf(past)
	if middle := stats.MedianOf(past); middle > 0 && n.level > 0 {
		spread *= n.level / middle
	}
	if len(past) < 2 {
		spread = max(spread, spreadOf(recent))
	}
	n.spread = max(spread, minRelativeSpread*n.level)
	return n
}

// spreadOf is a standard deviation that neither a few incidents of the past
// widen, nor a heavy tail escapes.
func spreadOf(values []float64) float64 {
	if len(values) < 2 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle, spread := stats.Center(sorted)
	return max(spread, (stats.Quantile(sorted, tail)-middle)/tailDeviations)
}

func usual(requests []float64, q Question) float64 {
	if recent := stats.Observed(between(requests, q.Recent, q.From)); len(recent) > 0 {
		return stats.MedianOf(recent)
	}
	return stats.MedianOf(stats.Observed(between(requests, 0, q.Recent)))
}

// failedBefore is the share of failed requests just before, and of how many; or of
// all of the past where the two do not differ clearly, since few failures are seen
// in a short time.
func failedBefore(s Service, q Question) (share, requests float64) {
	failed, total := failures(s, q.Recent, q.From)
	pastFailed, pastTotal := failures(s, 0, q.From)
	if pastTotal <= 0 {
		if past := stats.Observed(between(s.Failed, 0, q.From)); len(past) > 0 {
			return stats.MedianOf(past), 0
		}
		return 0, 0
	}
	if total <= 0 {
		return pastFailed / pastTotal, pastTotal
	}
	expected := distuv.Poisson{Lambda: max(total*pastFailed/pastTotal, 1e-9)}
	if above := 1 - expected.CDF(math.Round(failed)-1); above > surprising && expected.CDF(math.Round(failed)) > surprising {
		return pastFailed / pastTotal, pastTotal
	}
	return failed / total, total
}

// surprising is a probability below which the failures just before are not those
// of the past.
const surprising = 0.01

// failures counts failed requests, and all, in some steps.
func failures(s Service, from, to int) (failed, total float64) {
	for i := max(from, 0); i < min(to, len(s.Failed)); i++ {
		if requests := at(s.Requests, i); requests > 0 && finite(s.Failed[i]) {
			failed, total = failed+requests*s.Failed[i], total+requests
		}
	}
	return failed, total
}

// deviation is how many standard deviations a step lies above the level.
func (n normal) deviation(s Service, signal Signal, step int) float64 {
	requests := at(s.Requests, step)
	if signal == Failures {
		share := at(s.Failed, step)
		if !finite(share) || !(requests > 0) || math.IsNaN(n.level) {
			return 0
		}
		// Half a failed request in what was seen before stands for none.
		expected := requests * (n.level*n.seen + 0.5) / (n.seen + 1)
		return failuresDeviation(share*requests, expected, requests*n.spread)
	}
	value := at(s.Latency, step)
	if !finite(value) || math.IsNaN(n.level) || !(n.spread > 0) {
		return 0
	}
	spread := n.spread
	if requests > 0 && n.requests > requests {
		spread *= math.Sqrt(n.requests / requests)
	}
	return (value - n.level) / (spread * math.Sqrt(1+1/float64(max(1, n.points))))
}

// failuresDeviation is the deviation of a number of failures from the expected
// one, in standard deviations of a normal distribution with the same tail. Few
// failures follow Poisson's distribution; where the share has a spread of its own,
// its variance is that much larger.
func failuresDeviation(failed, expected, spread float64) float64 {
	if failed <= expected {
		return 0
	}
	variance := expected + spread*spread
	dispersion := variance / expected
	chance := mathext.GammaIncReg(failed/dispersion, expected/dispersion)
	if chance < minChance {
		return max(-distuv.UnitNormal.Quantile(minChance), (failed-expected)/math.Sqrt(variance))
	}
	return max(0, -distuv.UnitNormal.Quantile(chance))
}

// minChance is the smallest tail that is distinguished from 0.
const minChance = 1e-12

func between(values []float64, from, to int) []float64 {
	from, to = min(max(from, 0), len(values)), min(max(to, 0), len(values))
	if from >= to {
		return nil
	}
	return values[from:to]
}

func at(values []float64, step int) float64 {
	if step < 0 || step >= len(values) {
		return math.NaN()
	}
	return values[step]
}
