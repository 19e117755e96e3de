package anomaly

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// apartTime is how far apart extremes are separate events.
	apartTime = 30 * time.Minute
	minApart  = 5 // points
	// farthest bounds residuals, in usual deviations, so that squares of them
	// stay finite.
	farthest = 1e100
	// countAgreement is the agreement asked of detectors of small counts at most:
	// how probable a count is needs little confirmation.
	countAgreement = 0.5
	// maxLaidOut points of the pattern are laid out: a day at one second, with
	// room to spare.
	maxLaidOut = 100_000
)

// Model is what a stretch of history teaches about a series. It is never
// changed, so that streams may share it.
type Model struct {
	start      time.Time // of the first point to judge
	step       time.Duration
	unit       unit
	resolution float64   // of the values, in the unit; zero for continuous ones
	learned    int       // points learned from
	clock      clock     // from the first point learned from
	short      bool      // two days have not yet shown what a day is like
	ahead      []float32 // seasonal pattern of the points to judge
	bias       float64   // of a level that trails a trend
	path       []float64 // expectation of a named forecast model, instead of level and pattern
	scale      scale
	usual      detector.Calibration // of standardised residuals
	judges     []judge
	agreement  float64
	newDay     newDay
	counts     *counts // nil for other than small counts
	beginning  state   // before the first point to judge
	name       string
	season     time.Duration
	parameters map[string]float64
}

// judge is a detector and what its scores usually are.
type judge struct {
	name  string
	sided bool
	// single says that a detector looks at one point, so that the point cannot be
	// rarer than its count is.
	single bool
	usual  detector.Calibration
	least  float64 // probability that it may give
	// silent says that the history is too short for what the detector compares
	// with.
	silent bool
}

// state is all that changes from point to point.
type state struct {
	at       int // points since the model's start
	level    level
	moved    float64 // level shifts so far, together
	watchers []detector.Watcher
}

func (s state) clone() state {
	s.level = s.level.clone()
	s.watchers = slices.Clone(s.watchers)
	for k, w := range s.watchers {
		s.watchers[k] = w.Clone()
	}
	return s
}

// shown is the point at which the clock on the wall shows a point to judge,
// counted from the first one learned from.
func (m *Model) shown(at int) int { return m.clock.shows(m.learned + at) }

// Until is when the model has aged: from here on a new one, which knows the day
// that has passed, judges.
func (m *Model) Until() time.Time {
	return m.start.Add(time.Duration(max(len(m.ahead), len(m.path))) * m.step)
}

// learn makes the model of one epoch.
func learn(r Request, e epoch) (*Model, error) {
	past := series.Series{
		Start: r.History.Time(e.learn), Step: r.History.Step, Values: r.History.Values[e.learn:e.judge],
	}
	if seen := past.Observed(); seen < minLearned {
		return nil, fmt.Errorf("%w: %d points of history before %s, %d needed to tell what is usual",
			forecast.ErrShortHistory, seen, past.Time(past.Len()).UTC().Format(time.RFC3339), minLearned)
	}
	m := &Model{
		start: r.History.Time(e.judge), step: r.History.Step, learned: past.Len(),
		short: isShort(past), agreement: r.constants().Agreement,
		unit: unitOf(past.Values, r.History.Step), parameters: map[string]float64{},
	}
	y := make([]float64, past.Len())
	for i, v := range past.Values {
		y[i] = m.unit.in(v)
	}
	var residual, against, unshifted []float64
	var shifts []int
	if r.Model != "" && r.Model != forecast.Auto {
		var err error
		if residual, err = m.expectBy(r, e, y); err != nil {
			return nil, err
		}
		unshifted, against = y, residual
	} else {
		ahead := min(int((e.until.Sub(m.start)+m.step-1)/m.step), maxLaidOut)
		ahead = max(ahead, e.end-e.judge)
		m.clock = clockOf(past.Start, m.step, m.learned+ahead)
		residual, against, unshifted, shifts = m.expect(r, m.clock.lay(y), ahead)
	}
	m.resolution = resolution(y)
	m.counts = learnCounts(y, m.resolution, int(day/m.step))
	m.scale = learnScale(residual, against, m.resolution, m.step, r.constants())
	for i, v := range residual {
		residual[i] = m.scale.standardised(i, v)
	}
	apart := max(int(apartTime/m.step), minApart)
	if m.short {
		apart = minApart // changes alone judge, and those of one incident are over soon
	}
	input := detector.Input{Value: unshifted, Residual: residual, Step: m.step, Shifts: shifts}
	if m.resolution > 0 {
		input.Resolution = m.resolution / stats.Median(m.scale.above)
	}
	calibrator := detector.Calibrator{
		Constants: r.constants().Constants, Apart: apart, PerDay: max(int(day/m.step), 1), Resolution: input.Resolution,
	}
	m.usual = calibrator.For(detector.ZScore{}, residual)
	for _, name := range r.Detectors {
		d, _ := detector.Named(name) // validated
		watcher := d.Learn(input)
		usual := calibrator.For(d, detector.Past(d, watcher, input))
		m.judges = append(m.judges, judge{
			name: name, sided: detector.Sided(d), single: detector.LooksAtOnePoint(d), usual: usual, least: detector.MinProbability(d),
			silent: m.short && !detector.NeedsNoDay(d),
		})
		m.beginning.watchers = append(m.beginning.watchers, watcher)
	}
	if m.counts != nil {
		m.agreement = min(m.agreement, countAgreement) // one of them knows exactly
	}
	if m.short {
		m.agreement = 0 // too few judge to agree
		m.newDay = newDayOf(m.start, m.step)
	}
	return m, nil
}

// expect learns the expectation from y: a seasonal pattern, laid out for the
// points ahead, and a level that goes on with every point. It gives what the
// expectation leaves over of y: as the other half of the cycles foretold it, and
// against the pattern that will judge; and y without its shifts of level.
func (m *Model) expect(r Request, y []float64, ahead int) (residual, against, unshifted []float64, shifts []int) {
	durations := r.Seasons
	if len(durations) == 0 {
		durations = series.Calendar
	}
	learned := len(y)
	pattern := learnWeeklyPattern(y, series.Periods(durations, m.step))
	calm := make([]float64, learned)
	for i, v := range y {
		calm[i] = v - pattern.at(i, learned)
	}
	m.ahead = make([]float32, ahead)
	for i := range m.ahead {
		m.ahead[i] = float32(pattern.at(m.shown(i), 0))
	}
	state := &m.beginning
	state.level = chooseLevel(calm, m.step, m.short)
	residual, unshifted = make([]float64, learned), make([]float64, learned)
	for i, v := range calm {
		if back := state.level.back(v); back != 0 {
			state.moved += back
			if len(shifts) == 0 || shifts[len(shifts)-1] != i-1 {
				shifts = append(shifts, i-1)
			}
		}
		residual[i] = v - state.level.value
		unshifted[i] = y[i] - state.moved
		if shift := state.level.next(v); shift != 0 {
			state.moved += shift
			shifts = append(shifts, i)
		}
	}
	if bias := stats.Median(residual); !math.IsNaN(bias) {
		m.bias = bias // a level that trails a trend is always on the same side of it
	}
	for i := range residual {
		residual[i] -= m.bias
	}
	against = make([]float64, learned)
	for i, v := range residual {
		against[i] = v + pattern.at(i, learned) - pattern.at(i, 0)
	}
	m.name, m.season = "seasonal-level", time.Duration(pattern.longest())*m.step
	m.parameters["memory_seconds"] = (time.Duration(state.level.memory) * m.step).Seconds()
	for _, s := range pattern.seasons {
		m.parameters[fmt.Sprintf("season_%gh_strength", (time.Duration(s.Period)*m.step).Hours())] = s.Strength
	}
	return residual, against, unshifted, shifts
}

// isShort tells whether the observations of a history vary and reach back less
// than two days, so that no rhythm can be known: what changes slowly may be one.
func isShort(past series.Series) bool {
	if observed := stats.Observed(past.Values); slices.Max(observed) == slices.Min(observed) {
		return false
	}
	return time.Duration(past.Len()-firstObserved(past))*past.Step < shortHistory
}

// expectBy takes the expectation from a named forecast model, which looks back
// over all that lies before each point.
func (m *Model) expectBy(r Request, e epoch, y []float64) (residual []float64, err error) {
	whole := series.Series{Start: r.History.Time(e.learn), Step: m.step, Values: make([]float64, e.end-e.learn)}
	for i, v := range r.History.Values[e.learn:e.end] {
		whole.Values[i] = m.unit.in(v)
	}
	rolled, err := forecast.Rolling(forecast.Request{History: whole, Model: r.Model, Seasons: r.Seasons}, len(y))
	if err != nil {
		return nil, err
	}
	residual = make([]float64, len(y))
	for i, v := range y {
		residual[i] = v - rolled.Expected[i]
	}
	m.path = rolled.Expected[len(y):]
	m.name, m.season, m.parameters = rolled.Model, rolled.Season, rolled.Parameters
	return residual, nil
}

// expected is what the next point should be, and its seasonal part.
func (m *Model) expected(s *state) (center, pattern float64) {
	if m.path != nil {
		return m.path[s.at], 0
	}
	pattern = float64(m.ahead[s.at%len(m.ahead)])
	return s.level.value + (pattern + m.bias), pattern
}

// next takes in a point, in the model's unit, and gives what was expected of it, and
// the levels that it moved from and to where it shifted.
func (m *Model) next(s *state, v float64) (center, from, to float64) {
	if m.path == nil && m.newDay.waits(s.at) && !math.IsNaN(v) {
		level := v - float64(m.ahead[s.at%len(m.ahead)]) - m.bias
		s.level.value += (level - s.level.value) / float64(s.at-m.newDay.from+1)
	}
	back, shift := 0.0, 0.0
	if m.path == nil {
		if back = s.level.back(v - float64(m.ahead[s.at%len(m.ahead)])); back != 0 {
			s.shifted(back)
		}
	}
	center, pattern := m.expected(s)
	if m.path == nil {
		shift = s.level.next(v - pattern)
	}
	z := m.scale.standardised(m.shown(s.at), v-center)
	for _, w := range s.watchers {
		w.Observe(v-s.moved, z)
	}
	if shift != 0 {
		s.shifted(shift)
	}
	s.at++
	return center, center - back, center + shift
}

// shifted is after a new level was accepted.
func (s *state) shifted(by float64) {
	s.moved += by
	for _, w := range s.watchers {
		detector.Shifted(w)
	}
}
