package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	minObserved    = 20              // below it no interval can be calibrated
	longestFit     = 5_000           // points a model learns from; longer histories are averaged down
	finestNeeded   = 5 * time.Minute // averages this long lose nothing that is worth the time
	longestHorizon = 1_000_000       // points
	maxShifts      = 5               // lasting changes of level that are undone; more are how the series is
	incidentLimit  = 15              // spreads from the expected beyond which a point does not teach
)

// prepared is a history made ready for models: finite, of scale one, with past
// incidents cut off.
type prepared struct {
	observed []float64 // scaled
	unit     float64   // of the scale: value = unit·scaled
	// least and most are the range of the values as they were.
	least, most float64
	negative    bool      // some value was below zero, so others may be
	factor      int       // points of observed averaged into one of clean
	coarse      []float64 // averaged, with incidents
	clean       []float64 // what models learn from: coarse with past incidents cut off
	periods     []int     // strong seasons in points of clean, ascending
	// regressors are the events at a point of clean; nil without events.
	regressors func(t int) []float64
	clock      *wallClock // nil where the clock does not change
	capacity   float64    // scaled; 0: not known
	// decompositions are shared by the models tried; settled, from 1, is the only
	// scale that they are tried on, 0 for all.
	decompositions decompositions
	settled        int
	notices        []string
	untouched      bool              // no incident was cut off
	pasts          map[int][]float64 // what was known before an origin
	known          func([]float64)   // puts back what events explain; nil without events
}

// treatment says what becomes of a history before models learn from it.
type treatment int

const (
	// repaired: averaged down, incidents cut off, what lay before a lasting change
	// of level moved to the new one.
	repaired treatment = iota
	// cut: as repaired, but levels stay where they were.
	cut
	// asItIs: for references, which must be what their names say.
	asItIs
)

// prepare makes the history ready.
func prepare(r Request, how treatment) (*prepared, error) {
	values, infinite := series.Finite(r.History.Values)
	p := &prepared{}
	if infinite > 0 {
		p.notice("%d infinite values were treated as missing", infinite)
	}
	observed := stats.Observed(values)
	if len(observed) < minObserved {
		return nil, model.ShortHistory(len(observed), minObserved, "a forecast with intervals")
	}
	// A history begins with what was first observed.
	values = values[slices.IndexFunc(values, func(v float64) bool { return !math.IsNaN(v) }):]
	if len(stats.Observed(values[len(values)/2:])) == 0 {
		return nil, fmt.Errorf("%w: nothing was observed in the later half of the history", ErrShortHistory)
	}
	p.unit = series.Unit(observed)
	p.least, p.most = slices.Min(observed), slices.Max(observed)
	p.negative = p.least < 0
	p.observed = values
	for i := range values {
		values[i] /= p.unit
	}
	seasons := r.Seasons
	if len(seasons) == 0 {
		seasons = series.Calendar
	}
	candidates := series.Periods(seasons, r.History.Step)
	if len(candidates) == 0 {
		p.notice("the step of %s is too long for, or does not divide, the seasons looked for", r.History.Step)
	} else if longest := candidates[len(candidates)-1]; 2*longest > len(values) {
		p.notice("a season of %s was not looked for: the history holds fewer than two cycles",
			short(time.Duration(longest)*r.History.Step))
	}
	p.factor = 1
	if how != asItIs {
		p.factor = coarseness(len(values), candidates, r.History.Step)
	}
	if excess := len(values) - longestFit*p.factor; excess > 0 {
		p.notice("models learned from the last %d of %d points", longestFit*p.factor, len(values))
		values = values[excess:]
		p.observed = values
	}
	coarse := series.Coarsen(values, p.factor)
	shown := p.onClock(r, coarse)
	p.findSeasons(shown, candidates)
	// Where nothing repeats, a step is how the series moves.
	// One shift at a time: what a large one leaves of a season looks like others.
	for range maxShifts {
		if how != repaired || len(p.periods) == 0 || !p.anchor(r, coarse, p.shift(shown)) {
			break
		}
		shown = p.clock.lay(coarse)
		p.findSeasons(shown, candidates)
	}
	p.capacity = r.Capacity / p.unit
	p.coarse = coarse
	p.clean = coarse
	if how != asItIs {
		p.clean = p.withoutIncidents(coarse)
	}
	if events := eventsOf(r, len(coarse), p.factor); events != nil {
		p.known = func(clean []float64) { // known, so no incident
			for t := range clean {
				if slices.Max(events(t)) > 0 {
					clean[t] = coarse[t]
				}
			}
		}
		p.known(p.clean)
		p.regressors = func(shown int) []float64 { return events(p.clock.instant(shown)) }
	}
	p.forgetIncidents(coarse)
	return p, nil
}

const (
	// maxIncidents and maxIncidentShare are how many incidents, and how much of
	// its points, a history may hold for them to be exceptions; what happens more
	// often is how the series is, and to be expected again.
	maxIncidents     = 3
	maxIncidentShare = 0.02
)

// withoutIncidents is a beginning of the averaged history with what lies far
// from the expected cut off, where that is rare; otherwise the values themselves.
func (p *prepared) withoutIncidents(coarse []float64) []float64 {
	clean := p.clock.withoutIncidents(coarse, p.periods)
	incidents, points, last := 0, 0, math.MinInt32
	for t, v := range coarse {
		if v == clean[t] || math.IsNaN(v) {
			continue
		}
		if t > last+1 {
			incidents++
		}
		points++
		last = t
		if p.least >= 0 {
			clean[t] = max(clean[t], 0) // what stands in for it is not below zero either
		}
	}
	if points == 0 || incidents > maxIncidents || float64(points) > maxIncidentShare*float64(len(coarse)) {
		return slices.Clone(coarse)
	}
	return clean
}

// past is what models may know before an origin: incidents are judged by what
// had been seen by then, so that errors of rolling origins are those of real
// forecasts.
func (p *prepared) past(origin int) []float64 {
	if p.untouched {
		return p.clean[:origin]
	}
	if past, ok := p.pasts[origin]; ok {
		return past
	}
	past := p.withoutIncidents(p.coarse[:origin])
	if p.known != nil {
		p.known(past)
	}
	if p.pasts == nil {
		p.pasts = map[int][]float64{}
	}
	p.pasts[origin] = past
	return past
}

// forgetIncidents cuts incidents off the values that forecasts are judged by,
// too, so that a rare one does not widen intervals for as long as it is
// remembered.
func (p *prepared) forgetIncidents(coarse []float64) {
	p.untouched = true
	offset := len(p.observed) - len(coarse)*p.factor
	for t, v := range coarse {
		if v != p.clean[t] && !math.IsNaN(v) {
			p.untouched = false
			for i := range p.factor {
				p.observed[offset+t*p.factor+i] += p.clean[t] - v
			}
		}
	}
}

// onClock finds the wall clock of the history's location and lays the averaged
// values on its grid.
func (p *prepared) onClock(r Request, coarse []float64) []float64 {
	step := time.Duration(p.factor) * r.History.Step
	start := r.History.Time(r.History.Len()).Add(-time.Duration(len(coarse)) * step)
	clock, ok := clockOf(start, step, len(coarse), (r.Horizon+p.factor-1)/p.factor)
	if !ok {
		p.notice("the clock of %s changes by less than the step of %s, so seasons do not follow it", start.Location(), short(step))
	}
	p.clock = clock
	return clock.lay(coarse)
}

func (p *prepared) findSeasons(shown []float64, candidates []int) {
	p.periods = nil
	for _, season := range series.Seasons(shown, divide(candidates, p.factor), series.KeepRecurring) {
		p.periods = append(p.periods, season.Period)
	}
}

func (p *prepared) notice(format string, args ...any) {
	p.notices = append(p.notices, fmt.Sprintf(format, args...))
}

// coarseness is how many points to average into one so that a model learns from
// at most longestFit, preferring a divisor of every season. Averages are never
// longer than a fraction of the day: beyond that, the oldest points go instead.
func coarseness(n int, candidates []int, step time.Duration) int {
	most := max(int(finestNeeded/step), 1)
	least := min((n+longestFit-1)/longestFit, most)
	for factor := max(least, 1); factor <= min(2*least, most); factor++ {
		divides := true
		for _, period := range candidates {
			divides = divides && (period%factor == 0 || period < 2*factor)
		}
		if divides {
			return factor
		}
	}
	return max(least, 1)
}

func divide(periods []int, factor int) []int {
	var coarse []int
	for _, period := range periods {
		if period%factor == 0 && period >= 2*factor {
			coarse = append(coarse, period/factor)
		}
	}
	return coarse
}

// short renders whole days and hours without the zeros of time.Duration.
func short(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
