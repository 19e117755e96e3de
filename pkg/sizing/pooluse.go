package sizing

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// PoolUse is the last day of a pool: per instance, at equal instants, NaN where
// missing.
type PoolUse struct {
	Used     []float64 // connections in use
	Taken    []float64 // connections obtained per second
	Timeouts []float64 // not obtained in time, per second; may be empty
}

const (
	// busy is the share of the highest rate from which on an instant says how
	// long connections are held when it matters.
	busy = 0.5
	// highestQuantile of the rates of a day is what a pool must bear: a quarter
	// of an hour goes beyond.
	highestQuantile = 0.99
)

// Busiest is how often an instance asked for connections at the day's highest
// load, those included that did not come in time, and how long each was held
// then, by Little's law: used = rate × holding time. Both are the same whatever
// the hour they are asked at. NaN where too little is known.
func (u PoolUse) Busiest() (perSecond float64, hold stats.Interval) {
	rates := make([]float64, len(u.Taken))
	for i, taken := range u.Taken {
		rates[i] = taken
		if i < len(u.Timeouts) && u.Timeouts[i] > 0 {
			rates[i] += u.Timeouts[i]
		}
	}
	perSecond = quantile(rates, highestQuantile)
	if !positive(perSecond) {
		return math.NaN(), hold
	}
	var held []float64
	for i := range min(len(u.Used), len(u.Taken)) {
		if one := u.Used[i] / u.Taken[i]; u.Taken[i] > 0 && one > 0 && rates[i] >= busy*perSecond {
			held = append(held, one)
		}
	}
	if len(held) == 0 {
		return math.NaN(), hold
	}
	return perSecond, stats.Interval{Lower: quantile(held, 0.05), Estimate: quantile(held, 0.5), Upper: quantile(held, 1)}
}

// quantile of what was observed, NaN where nothing was.
func quantile(values []float64, q float64) float64 {
	sorted := stats.Observed(values)
	if len(sorted) == 0 {
		return math.NaN()
	}
	slices.Sort(sorted)
	return stats.Quantile(sorted, q)
}

// GrowthPerInstance is how many times as much load an instance will bear as it
// did at most, when the service's load is peak over so many instances. load and
// instances are those of the past, at equal instants. Where an autoscaler adds
// instances with the load, it is about 1 at any hour; 1 where nothing is known.
func GrowthPerInstance(load, instances []float64, peak, ahead float64) float64 {
	each := make([]float64, min(len(load), len(instances)))
	for i := range each {
		each[i] = math.NaN()
		if instances[i] > 0 {
			each[i] = load[i] / instances[i]
		}
	}
	highest := quantile(each, highestQuantile)
	if growth := peak / ahead / highest; positive(growth) {
		return math.Max(1, growth)
	}
	return 1
}

// PointwiseQuantile is the quantile to take at each of several points, so that
// all of them together stay below with the probability: their highest value is
// what capacity must suffice for. It is exact for independent errors, and on the
// safe side for errors that go together (Šidák, Journal of the American
// Statistical Association 62, 1967). The median stays what is expected.
func PointwiseQuantile(probability float64, points int) float64 {
	if probability <= 0.5 || points < 1 {
		return probability
	}
	return math.Min(math.Pow(probability, 1/float64(points)), maxQuantile)
}

// maxQuantile is the highest quantile that forecasts of a few hundred errors tell.
const maxQuantile = 0.9995
