package forecast

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// rollingLead is how far ahead of the data rolling forecasts look: far enough
// that an incident does not explain itself.
const rollingLead = time.Hour

// Rolled is what a model would have expected all along.
type Rolled struct {
	Expected   []float64 // NaN before the model had learned
	Model      string
	Season     time.Duration
	Parameters map[string]float64
}

// Rolling forecasts each point of the history up to an hour ahead, from what
// lay before it. The model is chosen on the first learn points and fitted to
// the first half of them; after that it only observes, unusual points cut off.
func Rolling(r Request, learn int) (Rolled, error) {
	r.Horizon = max(int(rollingLead/max(r.History.Step, 1)), 1)
	whole := r.History.Values
	if learn < 1 || learn > len(whole) {
		return Rolled{}, fmt.Errorf("%w: %d of %d points to learn from", ErrBadRequest, learn, len(whole))
	}
	if _, err := validate(r); err != nil {
		return Rolled{}, err
	}
	r.History.Values = whole[:learn]
	p, err := prepare(r, cut)
	if err != nil {
		return Rolled{}, err
	}
	best, _, err := p.choose(r)
	if err != nil {
		return Rolled{}, err
	}
	origin := p.origins()[0]
	fitted, err := best.model.Fit(p.clean[:origin])
	if err != nil {
		return Rolled{}, err
	}
	reach := p.reach(best, r.Horizon)

	rolled := Rolled{Expected: repeat(math.NaN(), len(whole)), Model: best.model.Name(), Parameters: fitted.Parameters()}
	if period := model.Season(best.model); period > 1 {
		rolled.Season = time.Duration(period*p.factor) * r.History.Step
	}
	last := p.clean[origin-1]
	for at := learn - (len(p.clean)-origin)*p.factor; at < len(whole); {
		lead := max(r.Horizon/p.factor, 1) * p.factor
		mean := p.fine(fitted, last, lead)
		start := at
		for ; at < min(start+lead, len(whole)); at += p.factor {
			expected := averageOf(mean[at-start:at-start+p.factor], 1)
			group := min(max(averageOf(whole[at:min(at+p.factor, len(whole))], p.unit), expected-reach), expected+reach)
			fitted.Observe(group)
			last = group
		}
		for i := start; i < min(start+lead, len(whole)); i++ {
			rolled.Expected[i] = p.value(mean[i-start])
		}
	}
	return rolled, nil
}

// reach is how far from the expected an observation is an incident, from a
// trial's errors.
func (p *prepared) reach(t trial, horizon int) float64 {
	var all []float64
	for i, mean := range t.forecasts {
		for h, actual := range p.future(t.origins[i], horizon) {
			if e := actual - mean[h]; !math.IsNaN(e) {
				all = append(all, e)
			}
		}
	}
	return incidentLimit * stats.Spread(all)
}

func averageOf(values []float64, unit float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum += v / unit
			n++
		}
	}
	return sum / float64(n)
}
