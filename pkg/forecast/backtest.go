package forecast

import (
	"fmt"
	"math"
)

const (
	mostOrigins    = 48
	fewestForTrial = 10 // points a model is first fitted to
)

// trial is a model's record over rolling origins: it is fitted once, to what
// lies before the first origin, and then only observes, so that no forecast
// knows its future.
type trial struct {
	model Model
	// errors[h] are actual minus forecast h+1 points ahead, missing ones left
	// out, in order of origin.
	errors [][]float64
	mae    float64 // over all origins and horizons
}

// origins are the points of clean before which forecasts are made, ascending,
// over the second half of the history.
func (p *prepared) origins() []int {
	n := len(p.clean)
	first := max(n/2, min(fewestForTrial, n-1))
	if len(p.periods) > 0 {
		// A season must have been seen once, with something left to test on.
		first = max(first, min(p.periods[len(p.periods)-1]+1, n-n/8))
	}
	stride := max((n-first+mostOrigins-1)/mostOrigins, 1)
	if len(p.periods) > 0 && stride > 1 {
		stride = coprime(stride, p.periods[len(p.periods)-1])
	}
	var origins []int
	for at := first; at < n; at += stride {
		origins = append(origins, at)
	}
	return origins
}

// coprime is the first number from stride on that shares no factor with the
// period, so that origins fall on all phases.
func coprime(stride, period int) int {
	for ; stride > 1; stride++ {
		a, b := stride, period
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			break
		}
	}
	return stride
}

// backtest makes the model's trial. It fails where the model cannot be fitted to
// the part before the first origin, gives a forecast that is not finite, or
// there is nothing observed to compare with.
func (p *prepared) backtest(model Model, horizon int) (trial, error) {
	origins := p.origins()
	fitted, err := model.Fit(p.clean[:origins[0]])
	if err != nil {
		return trial{}, err
	}
	offset := len(p.observed) - len(p.clean)*p.factor
	t := trial{model: model, errors: make([][]float64, min(horizon, len(p.observed)-offset-origins[0]*p.factor))}
	sum, count, seen := 0.0, 0, origins[0]
	for _, origin := range origins {
		for ; seen < origin; seen++ {
			fitted.Observe(p.clean[seen])
		}
		future := p.observed[offset+origin*p.factor:]
		future = future[:min(len(future), horizon)]
		mean := p.fine(fitted, p.clean[:origin], len(future))
		for h, actual := range future {
			e := actual - mean[h]
			if math.IsInf(mean[h], 0) || math.IsNaN(mean[h]) {
				return trial{}, fmt.Errorf("%w: the model %s diverges on this history", ErrNoModel, model.Name())
			}
			if math.IsNaN(e) {
				continue
			}
			t.errors[h] = append(t.errors[h], e)
			sum += math.Abs(e)
			count++
		}
	}
	if count == 0 {
		return trial{}, fmt.Errorf("%w: nothing was observed in the second half of the history", ErrShortHistory)
	}
	t.mae = sum / float64(count)
	return t, nil
}

// fine is the forecast on the grid of the history from a model of the averaged
// one: the line through the averages' centres.
func (p *prepared) fine(fitted Fitted, past []float64, horizon int) []float64 {
	if p.factor == 1 {
		return fitted.Forecast(horizon)
	}
	coarse := fitted.Forecast((horizon-1)/p.factor + 2)
	before := coarse[0]
	if last := past[len(past)-1]; !math.IsNaN(last) {
		before = last
	}
	mean := make([]float64, horizon)
	for h := range mean {
		// In units of factor, from the centre of the last average observed.
		position := (float64(h) + 1 + float64(p.factor-1)/2) / float64(p.factor)
		at := int(position)
		left := before
		if at > 0 {
			left = coarse[at-1]
		}
		mean[h] = left + (coarse[at]-left)*(position-float64(at))
	}
	return mean
}
