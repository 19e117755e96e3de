package main

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/series"
)

// The alert rules of grafana/promql-anomaly-detection (adaptive and robust),
// evaluated point by point on the grid as Prometheus evaluates them: windows
// open to the left, samples that are not above zero dropped, missing bands left
// out of minimum and maximum, "for: 5m".

const (
	ruleMultiplier = 2.0
	ruleMargin     = 0.5
	ruleFilter     = 0.5
	ruleFor        = 5 * time.Minute
)

// evaluate runs a rule from a point on.
func evaluate(h series.Series, first int, rule func(i int) bool) []bool {
	on := make([]bool, h.Len()-first)
	for i := range on {
		on[i] = rule(first + i)
	}
	return on
}

// lasting is on where a condition has held for as long as the rule asks.
func lasting(condition []bool, step time.Duration) []bool {
	points := int((ruleFor + step - 1) / step)
	on := make([]bool, len(condition))
	held := 0
	for i, v := range condition {
		held++
		if !v {
			held = 0
		}
		on[i] = held > points
	}
	return on
}

// selected are the samples the rules look at.
func selected(h series.Series) []float64 {
	values := slices.Clone(h.Values)
	for i, v := range values {
		if !(v > 0) {
			values[i] = math.NaN()
		}
	}
	return values
}

// over is a window of the last d that ends offset before i.
func over(x []float64, i int, d, offset, step time.Duration) []float64 {
	end := i - int(offset/step)
	if end < 0 {
		return nil
	}
	return x[max(end+1-int(d/step), 0) : end+1]
}

// moments are the mean and the population's standard deviation of what is not
// missing.
func moments(x []float64) (mean, deviation float64) {
	n, sum, squares := 0.0, 0.0, 0.0
	for _, v := range x {
		if !math.IsNaN(v) {
			n, sum, squares = n+1, sum+v, squares+v*v
		}
	}
	mean = sum / n
	return mean, math.Sqrt(max(squares/n-mean*mean, 0))
}

func quantileOf(x []float64, q float64) float64 {
	observed := slices.DeleteFunc(slices.Clone(x), math.IsNaN)
	if len(observed) == 0 {
		return math.NaN()
	}
	slices.Sort(observed)
	at := q * float64(len(observed)-1)
	low := int(at)
	high := min(low+1, len(observed)-1)
	return observed[low] + (observed[high]-observed[low])*(at-float64(low))
}

// band is the widest of several, those without a value left out.
type band struct{ lower, upper float64 }

func (b *band) include(center, width float64) {
	if math.IsNaN(center) || math.IsNaN(width) {
		return
	}
	b.lower, b.upper = min(b.lower, center-width), max(b.upper, center+width)
}

func (b band) holds(v float64) bool { return !(v < max(b.lower, 0)) && !(v > b.upper) }

func noBand() band { return band{math.Inf(1), math.Inf(-1)} }

func adaptive(j judged) []bool {
	h, first := j.whole()
	x := selected(h)
	hourly, filtered := make([]float64, len(x)), make([]float64, len(x))
	for i := range x {
		mean, deviation := moments(over(x, i, time.Hour, 0, h.Step))
		hourly[i], filtered[i] = mean, math.NaN()
		if deviation > ruleFilter*mean {
			filtered[i] = deviation
		}
	}
	return lasting(evaluate(h, first, func(i int) bool {
		b := noBand()
		width, _ := moments(over(filtered, i, 26*time.Hour, 0, h.Step))
		b.include(hourly[i], ruleMultiplier*width)
		b.include(hourly[i], ruleMargin*hourly[i])
		for _, back := range []time.Duration{23*time.Hour + 30*time.Minute, 167*time.Hour + 30*time.Minute} {
			mean, deviation := moments(over(x, i, time.Hour, back, h.Step))
			b.include(mean, ruleMultiplier*deviation)
		}
		return !b.holds(x[i])
	}), h.Step)
}

func robust(j judged) []bool {
	h, first := j.whole()
	x := selected(h)
	center, deviation := make([]float64, len(x)), make([]float64, len(x))
	for i := range x {
		center[i] = quantileOf(over(x, i, 24*time.Hour, 0, h.Step), 0.5)
		deviation[i] = math.Abs(x[i] - center[i])
	}
	seasonal := func(i int, back time.Duration) (median, spread float64) {
		window := over(x, i, time.Hour, back, h.Step)
		median = quantileOf(window, 0.5)
		var deviations []float64
		for _, v := range window {
			deviations = append(deviations, math.Abs(v-median))
		}
		return median, quantileOf(deviations, 0.5)
	}
	return lasting(evaluate(h, first, func(i int) bool {
		b := noBand()
		b.include(center[i], ruleMultiplier*quantileOf(over(deviation, i, 24*time.Hour, 0, h.Step), 0.5))
		b.include(center[i], ruleMargin*center[i])
		for _, back := range []time.Duration{23*time.Hour + 45*time.Minute, 167*time.Hour + 45*time.Minute} {
			median, spread := seasonal(i, back)
			b.include(median, ruleMultiplier*spread)
		}
		return !b.holds(quantileOf(over(x, i, time.Hour, 0, h.Step), 0.5))
	}), h.Step)
}

// esdCritical is the critical value of the first step of the generalised ESD
// test (Rosner, Technometrics 25, 1983).
func esdCritical(n int, alpha float64) float64 {
	size := float64(n)
	t := distuv.StudentsT{Sigma: 1, Nu: size - 2}.Quantile(1 - alpha/(2*size))
	return (size - 1) * t / math.Sqrt((size-2+t*t)*size)
}
