package accuracy

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/series"
)

// The other ways to page that are compared.

// hybridESD is the first step of the seasonal hybrid ESD test at a level of 5 %
// on the newest point: the residual of the day's profile over the last two
// weeks against median and MAD.
func hybridESD(j judged) ([]bool, error) {
	const alpha, days = 0.05, 14
	h, first := j.whole()
	day := int(24 * time.Hour / h.Step)
	return evaluate(h, first, func(i int) bool {
		past := h.Values[max(i+1-days*day, 0) : i+1]
		var sameTime []float64
		for k := i; k >= max(i+1-days*day, 0); k -= day {
			sameTime = append(sameTime, h.Values[k])
		}
		if len(sameTime) < 2 {
			return false
		}
		center := quantileOf(past, 0.5)
		season := quantileOf(sameTime, 0.5) - center
		deviations := make([]float64, 0, len(past)/4+1)
		for k := i; k >= max(i+1-days*day, 0); k -= 4 { // every fourth point tells the MAD as well
			deviations = append(deviations, math.Abs(h.Values[k]-center))
		}
		spread := 1.4826 * quantileOf(deviations, 0.5)
		return math.Abs(h.Values[i]-season-center) > esdCritical(len(past), alpha)*spread
	}), nil
}

// ewma is a control chart: three deviations from an average of about a day.
func ewma(j judged) ([]bool, error) {
	h, first := j.whole()
	rate := 2 / (float64(24*time.Hour/h.Step) + 1)
	level, variance := math.NaN(), 0.0
	on := make([]bool, h.Len())
	for i, v := range h.Values {
		if math.IsNaN(v) {
			continue
		}
		if math.IsNaN(level) {
			level = v
		}
		e := v - level
		on[i] = e*e > 9*variance
		level += rate * e
		variance += rate * (e*e - variance)
	}
	return on[first:], nil
}

// predictLinear is the usual rule: in an hour the line through the last half
// hour is beyond a static threshold, here 1.2 times the 99.9 % quantile of what
// came before the judged part.
func predictLinear(j judged) ([]bool, error) {
	h, first := j.whole()
	return warnByLine(h, h.Time(first), 1.2*quantileOf(h.Values[:first], 0.999))
}

// byRules is on where the alert of a group of rules has held for five minutes.
func byRules(group []rule) contestant {
	return func(j judged) ([]bool, error) {
		h, first := j.whole()
		on, err := runRules(h, group)
		if err != nil {
			return nil, err
		}
		return lasting(on[first:], h.Step), nil
	}
}

// evaluate runs a rule from a point on.
func evaluate(h series.Series, first int, rule func(i int) bool) []bool {
	on := make([]bool, h.Len()-first)
	for i := range on {
		on[i] = rule(first + i)
	}
	return on
}

// quantileOf is the q-quantile of what is not missing.
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

// esdCritical is the critical value of the first step of the generalised ESD
// test (Rosner, Technometrics 25, 1983).
func esdCritical(n int, alpha float64) float64 {
	size := float64(n)
	t := distuv.StudentsT{Sigma: 1, Nu: size - 2}.Quantile(1 - alpha/(2*size))
	return (size - 1) * t / math.Sqrt((size-2+t*t)*size)
}
