package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Learned is a model chosen and fitted, ready to take further observations in
// and to forecast again at the cost of a few additions. It is not safe for
// concurrent use.
type Learned struct {
	request   Request   // without the history's values
	p         *prepared // without the history
	fitted    Fitted
	result    Result // what does not change
	intervals []band // as multiples of what phases give
	phases    phases
	learned   int       // points of the averaged history
	observed  int       // points since the history
	pending   []float64 // points not yet averaged into one
	last      float64   // the latest average
	reach     float64   // of an average's error, beyond which it is an incident
	floor     bool      // zero is the least that the quantity can be
	online    []float64 // factor of each interval, from live coverage
}

// Learn chooses and fits a model. Errors are those of Run.
func Learn(r Request) (*Learned, error) {
	probabilities, err := validate(r)
	if err != nil {
		return nil, err
	}
	how := treatmentOf(r.Model)
	p, err := prepare(r, how)
	if err != nil {
		return nil, err
	}
	best, naive, err := p.choose(r)
	if err != nil {
		return nil, err
	}
	fitted, err := best.model.Fit(p.clean)
	if err != nil {
		return nil, err
	}
	if !finite(fitted.Forecast(r.Horizon)) {
		p.notice("%s was replaced by %s: it diverges beyond this history", best.model.Name(), naive.model.Name())
		best = naive
		if fitted, err = best.model.Fit(p.clean); err != nil {
			return nil, err
		}
	}
	if tried := p.tried(best, r.Horizon); tried < r.Horizon {
		p.notice("the history is long enough to test %d points ahead; intervals beyond that are extrapolated", tried)
	}
	intervals, phases := p.intervals(best, r.Horizon, probabilities)
	l := &Learned{
		request: r, p: &prepared{unit: p.unit, factor: p.factor, negative: p.negative}, reach: p.reach(best, r.Horizon), fitted: fitted, last: p.clean[len(p.clean)-1],
		floor: r.NonNegative && !p.negative, intervals: intervals, phases: phases, learned: len(p.clean), online: repeat(1, len(probabilities)),
		result: Result{
			Step:       r.History.Step,
			Model:      best.model.Name(),
			Parameters: fitted.Parameters(),
			Error:      p.value(best.mae),
			NaiveError: p.value(naive.mae),
			Observed:   r.History.Observed(),
			Notices:    p.notices,
		},
	}
	if how == asItIs {
		l.reach = math.Inf(1)
	}
	l.request.History = series.Series{Start: r.History.Time(r.History.Len()), Step: r.History.Step}
	if period := model.Season(best.model); period > 1 {
		l.result.Season = time.Duration(period*p.factor) * r.History.Step
	}
	return l, nil
}

func finite(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

const (
	onlineRate = 0.02 // how fast intervals follow live coverage
	maxOnline  = 4.0  // how far they follow it, as a factor and its inverse
)

// Observe takes the next point in, NaN where missing; an incident teaches only
// as much as an ordinary error. Intervals widen with each
// miss and narrow a little with each hit, so that in the long run they hold what
// they promise (Gibbs and Candès, "Adaptive conformal inference under
// distribution shift", NeurIPS 2021, on a logarithmic scale of width).
func (l *Learned) Observe(v float64) {
	defer func() { l.observed++ }()
	if math.IsInf(v, 0) {
		v = math.NaN()
	}
	v /= l.p.unit
	if !math.IsNaN(v) {
		mean := l.ahead(1)[0]
		l.judge(v-mean, mean)
	}
	l.pending = append(l.pending, v)
	if len(l.pending) < l.p.factor {
		return
	}
	expected := l.fitted.Forecast(1)[0]
	l.last = min(max(averageOf(l.pending, 1), expected-l.reach), expected+l.reach) // NaN stays
	l.fitted.Observe(l.last)
	l.pending = l.pending[:0]
}

// reaches are how far an interval reaches below and above the mean.
func (l *Learned) reaches(i, h int, mean float64) (below, above float64) {
	b := l.intervals[i]
	scale := l.online[i] * l.phases.at(l.learned, l.observed+h)
	below = b.Lower[h] * scale
	if l.floor && mean+below <= 0 {
		return below, b.alone[h] * scale
	}
	return below, b.Upper[h] * scale
}

// judge compares a one-step error with each interval.
func (l *Learned) judge(e, mean float64) {
	for i, interval := range l.intervals {
		miss := 0.0
		if below, above := l.reaches(i, 0, mean); e < below || e > above {
			miss = 1
		}
		factor := l.online[i] * math.Exp(onlineRate*(miss-(1-interval.Probability)))
		l.online[i] = min(max(factor, 1/maxOnline), maxOnline)
	}
}

// ahead is the scaled forecast of the next horizon points.
func (l *Learned) ahead(horizon int) []float64 {
	n := len(l.pending)
	return l.p.fine(l.fitted, l.last, n+horizon)[n:]
}

// Forecast is the forecast from the latest point observed.
func (l *Learned) Forecast() Result {
	result := l.result
	result.Start = l.request.History.Time(l.observed)
	result.Observed += l.observed
	result.Mean = l.ahead(l.request.Horizon)
	result.Intervals = make([]Interval, len(l.intervals))
	for i, interval := range l.intervals {
		n := len(interval.Lower)
		result.Intervals[i] = Interval{Probability: interval.Probability, Lower: make([]float64, n), Upper: make([]float64, n)}
		lower, upper := result.Intervals[i].Lower, result.Intervals[i].Upper
		for h := range lower {
			lower[h], upper[h] = l.reaches(i, h, result.Mean[h])
			if i > 0 { // an interval of higher probability holds the others
				lower[h] = min(lower[h], result.Intervals[i-1].Lower[h])
				upper[h] = max(upper[h], result.Intervals[i-1].Upper[h])
			}
		}
	}
	return l.p.unscale(result, l.request)
}
