package forecast

import (
	"fmt"
	"math"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	maxOrigins  = 48
	minForTrial = 10 // points a model is first fitted to
	// refits is how many times a trial learns anew, once where learning is
	// costly; between them the model only observes.
	refits = 3
)

// trial is a model's record over rolling origins: forecasts[i] was made before
// origins[i] of the clean history, from nothing but what lay before.
type trial struct {
	model     Model
	origins   []int
	forecasts [][]float64
	mae       float64 // mean absolute error over all origins and horizons
}

// origins are the points of clean before which forecasts are made, ascending,
// over the later part of what was observed. They fall on all phases of the
// seasons.
func (p *prepared) origins() []int {
	n := len(p.clean)
	observed := len(stats.Observed(p.clean))
	first := p.after(max(2*observed/5, min(minForTrial, observed-1)))
	longest := p.longestPeriod()
	if longest > 0 {
		// A season must have been seen once, with something left to test on.
		first = max(first, min(longest+1, n-n/8))
	}
	stride := max((n-first+maxOrigins-1)/maxOrigins, 1)
	if longest > 0 && stride > 1 {
		stride = coprime(stride, longest)
	}
	var origins []int
	for at := first; at < n; at += stride {
		origins = append(origins, at)
	}
	return origins
}

// after is how many points of clean hold so many that were observed.
func (p *prepared) after(observed int) int {
	for t, v := range p.clean {
		if !math.IsNaN(v) {
			observed--
		}
		if observed <= 0 {
			return t + 1
		}
	}
	return len(p.clean)
}

func (p *prepared) longestPeriod() int {
	if len(p.periods) == 0 {
		return 0
	}
	return p.periods[len(p.periods)-1]
}

// coprime is the first number from stride on that shares no factor with the
// period.
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

// future is what was observed after an origin of the clean history.
func (p *prepared) future(origin, horizon int) []float64 {
	offset := len(p.observed) - len(p.clean)*p.factor
	future := p.observed[offset+origin*p.factor:]
	return future[:min(len(future), horizon)]
}

// tried is how many points ahead a trial has errors of.
func (p *prepared) tried(t trial, horizon int) int {
	longest := 0
	for i := range t.forecasts {
		for h, actual := range p.future(t.origins[i], horizon) {
			if !math.IsNaN(actual) {
				longest = max(longest, h+1)
			}
		}
	}
	return longest
}

// backtest makes a model's trial. It fails where the model cannot be fitted to
// the part before the first origin, diverges, or there is nothing observed to
// compare with.
func (p *prepared) backtest(m Model, horizon int) (trial, error) {
	t := trial{model: m, origins: p.origins()}
	times := refits
	if model.IsCostly(m) {
		times = 1
	}
	var fitted Fitted
	seen := 0
	for i, origin := range t.origins {
		if i == 0 || i*times/len(t.origins) != (i-1)*times/len(t.origins) {
			refitted, err := m.Fit(p.past(origin))
			if err != nil {
				return trial{}, err
			}
			fitted, seen = refitted, origin
		}
		for ; seen < origin; seen++ {
			fitted.Observe(p.clean[seen])
		}
		t.forecasts = append(t.forecasts, p.fine(fitted, p.clean[origin-1], len(p.future(origin, horizon))))
	}
	return t, p.assess(&t, horizon)
}

// assess fills in a trial's mean absolute error.
func (p *prepared) assess(t *trial, horizon int) error {
	sum, count := 0.0, 0
	for i, mean := range t.forecasts {
		for h, actual := range p.future(t.origins[i], horizon) {
			if math.IsInf(mean[h], 0) || math.IsNaN(mean[h]) {
				return fmt.Errorf("%w: the model %s diverges on this history", ErrNoModel, t.model.Name())
			}
			if e := actual - mean[h]; !math.IsNaN(e) {
				sum += math.Abs(e)
				count++
			}
		}
	}
	if count == 0 {
		return fmt.Errorf("%w: nothing was observed in the later part of the history", ErrShortHistory)
	}
	t.mae = sum / float64(count)
	return nil
}

// fine is the forecast on the grid of the history from a model of the averaged
// one, whose latest value is last: the line through the averages' centres.
func (p *prepared) fine(fitted Fitted, last float64, horizon int) []float64 {
	if p.factor == 1 {
		return fitted.Forecast(horizon)
	}
	coarse := fitted.Forecast((horizon-1)/p.factor + 2)
	before := coarse[0]
	if !math.IsNaN(last) {
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
