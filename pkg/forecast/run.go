package forecast

import (
	"fmt"
	"math"
	"slices"
)

const defaultProbability = 0.95

// Run forecasts. The error wraps ErrShortHistory where the history is too short
// and ErrBadRequest where the request makes no sense.
func Run(r Request) (Result, error) {
	l, err := Learn(r)
	if err != nil {
		return Result{}, err
	}
	return l.Forecast(), nil
}

func validate(r Request) (probabilities []float64, err error) {
	if r.History.Step <= 0 {
		return nil, fmt.Errorf("%w: the step must be positive, not %s", ErrBadRequest, r.History.Step)
	}
	if r.Horizon < 1 || r.Horizon > longestHorizon {
		return nil, fmt.Errorf("%w: the horizon must be 1 to %d points, not %d", ErrBadRequest, longestHorizon, r.Horizon)
	}
	if !(r.Capacity >= 0) || math.IsInf(r.Capacity, 0) {
		return nil, fmt.Errorf("%w: the capacity must be positive, or 0 where there is none, not %v", ErrBadRequest, r.Capacity)
	}
	probabilities = slices.Clone(r.Probabilities)
	if len(probabilities) == 0 {
		probabilities = []float64{defaultProbability}
	}
	slices.Sort(probabilities)
	for _, probability := range probabilities {
		if !(probability > 0 && probability < 1) {
			return nil, fmt.Errorf("%w: a probability must lie between 0 and 1, not %v", ErrBadRequest, probability)
		}
	}
	return slices.Compact(probabilities), nil
}

func (p *prepared) value(scaled float64) float64 { return bounded(scaled * p.unit) }

// bounded keeps a number inside what a float holds.
func bounded(v float64) float64 { return min(max(v, -math.MaxFloat64), math.MaxFloat64) }

// unscale puts the mean and the intervals, so far around zero, in the series'
// unit.
func (p *prepared) unscale(result Result, r Request) Result {
	least, most := math.Inf(-1), math.Inf(1)
	if r.NonNegative {
		least = 0
	}
	if r.Capacity > 0 {
		most = r.Capacity
	}
	possible := func(scaled float64) float64 { return min(max(p.value(scaled), least), most) }
	for h, mean := range result.Mean {
		for _, interval := range result.Intervals {
			interval.Lower[h] = possible(mean + interval.Lower[h])
			interval.Upper[h] = possible(mean + interval.Upper[h])
		}
		result.Mean[h] = possible(mean)
	}
	return result
}
