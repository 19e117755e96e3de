package anomaly

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Stream judges a series point by point, with the values that Detect gives.
type Stream struct {
	model        *Model
	state        state
	gates        gates
	below, above float64   // the band's half widths, in usual deviations
	probability  []float64 // of the newest point, by detector
	group        grouping
	event        Event
}

// gates are which deviations count.
type gates struct {
	direction            Direction
	minDeviation         float64
	minRelativeDeviation float64
	probability          float64
	nonNegative          bool
}

// Observation is what a stream says of one point.
type Observation struct {
	Time                   time.Time
	Expected, Lower, Upper float64
	// Score is that of Result.Score.
	Score float64
	// Shift is by how much a new level, accepted at this point, lies from the old
	// one; zero for none.
	Shift float64
	// Event is the event that the point belongs to, as far as it is known; nil
	// for none.
	Event *Event
	// Begins says that this is the event's first point.
	Begins bool
}

// Learn learns from the history up to r.From, for the points from there on. Its
// values are those of Detect where r.From is a midnight (UTC). Errors are as
// with Detect, and ErrBadRequest for a named forecast model, which cannot go on
// point by point.
func Learn(r Request) (*Model, error) {
	if err := validate(&r); err != nil {
		return nil, err
	}
	if r.Model != "" && r.Model != forecast.Auto {
		return nil, fmt.Errorf("%w: model %q looks back over the whole history at each point and cannot be streamed", ErrBadRequest, r.Model)
	}
	r.History.Values, _ = series.Finite(r.History.Between(r.History.Start, r.From).Values)
	at := r.History.Len()
	_, until := stretch(r.History.Time(at), r.History.Time(firstObserved(r.History)).Add(shortHistory), r.History.Step)
	return learn(r, epoch{
		learn: max(at-longestPast(r.History.Step, r.Past), 0), judge: at, end: at,
		until: until,
	})
}

// Stream begins at the first point after what the model learned from. Of the
// request, what says which deviations count is used; the history is not.
func (m *Model) Stream(r Request) (*Stream, error) {
	if r.History.Step == 0 {
		r.History.Step = m.step
	}
	if err := validate(&r); err != nil {
		return nil, err
	}
	s := m.stream(r)
	s.group = newGrouping(r.Threshold, m.step, r.constants())
	return s, nil
}

func (m *Model) stream(r Request) *Stream {
	s := &Stream{
		gates:       gates{r.Direction, r.MinDeviation, r.MinRelativeDeviation, r.Probability, r.NonNegative},
		probability: make([]float64, len(m.judges)),
	}
	s.Renew(m)
	return s
}

// Renew goes on under a newer model, whose first point is the stream's next
// one. An event under way stays the same event.
func (s *Stream) Renew(m *Model) {
	s.model, s.state = m, m.beginning.clone()
	s.below, s.above = m.usual.Bounds(s.gates.probability)
}

// Until is when a newer model should take over: see Model.Until.
func (s *Stream) Until() time.Time { return s.model.Until() }

// Observe judges the next point; NaN where it is missing. After Until it goes
// on with the season's shape repeated.
func (s *Stream) Observe(v float64) Observation {
	o := s.judge(v)
	switch s.group.next(o.Score) {
	case begins:
		s.event = Event{Start: o.Time, Score: -1}
		o.Begins = true
		fallthrough
	case goesOn:
		s.event.extend(o.Time, v, o.Expected, o.Score, s.witnesses)
		event := s.event
		o.Event = &event
	}
	return o
}

func (s *Stream) witnesses() []Witness {
	return witnesses(s.probability, func(k int) string { return s.model.judges[k].name })
}

// pass takes in a point that nobody asks about.
func (s *Stream) pass(v float64) { s.model.next(&s.state, s.model.unit.in(v)) }

// judge judges the next point, apart from its event.
func (s *Stream) judge(v float64) Observation {
	m := s.model
	x := m.unit.in(v)
	i := m.shown(s.state.at)
	o := Observation{Time: m.start.Add(time.Duration(s.state.at) * m.step)}
	center, from, to := m.next(&s.state, x)
	lower, upper := center-s.below*m.scale.at(i, -1), center+s.above*m.scale.at(i, 1)
	o.Expected, o.Lower, o.Upper = m.unit.out(center), m.unit.out(lower), m.unit.out(upper)
	if o.Score = s.score(i, x, center); o.Score > 0 && !s.gates.counts(v, o.Expected) {
		o.Score = 0
	}
	if s.gates.nonNegative {
		o.Expected, o.Lower, o.Upper = max(o.Expected, 0), max(o.Lower, 0), max(o.Upper, 0)
	}
	if from < to || from > to { // NaN is neither
		o.Shift = bounded(m.unit.out(to) - m.unit.out(from))
	}
	return o
}

// counts tells whether a deviation is large enough and to the side asked for.
func (g gates) counts(v, expected float64) bool {
	switch deviation := v - expected; {
	case math.Abs(deviation) < g.minDeviation, math.Abs(deviation) < g.minRelativeDeviation*math.Abs(expected),
		g.direction == Above && deviation <= 0, g.direction == Below && deviation >= 0:
		return false
	}
	return true
}

// score is the surprise of all detectors together at the point observed last.
// Within half the resolution of the data there is nothing to be seen.
func (s *Stream) score(i int, x, center float64) float64 {
	direction, residual := s.gates.direction, x-center
	least := 0.0
	if s.model.counts != nil && !math.IsNaN(residual) {
		least = s.model.counts.probability(i, x, center)
	}
	for k, judge := range s.model.judges {
		s.probability[k] = judge.probability(s.state.watchers[k], direction)
		switch {
		case s.model.newDay.silences(judge, s.state.at-1):
			s.probability[k] = math.NaN()
		case least == 0 || !judge.single:
		case judge.name == detector.ZScore{}.Name() && !judge.silent:
			s.probability[k] = least
		default:
			s.probability[k] = max(s.probability[k], least) // NaN stays
		}
	}
	switch {
	case math.IsNaN(residual):
		return math.NaN()
	case math.Abs(residual) < s.model.resolution/2, s.model.newDay.waits(s.state.at - 1):
		return 0
	}
	var room [16]float64
	each := room[:0]
	for k, judge := range s.model.judges {
		// On one side only what knows sides can testify.
		if direction == Both || judge.sided {
			each = append(each, s.probability[k])
		}
	}
	combined := detector.Agreed(each, s.model.agreement)
	if math.IsNaN(combined) {
		return 0 // no detector has seen enough to say anything
	}
	score := Score(combined * scoredStep.Seconds() / s.model.step.Seconds())
	if s.model.short {
		return min(score, youngScore)
	}
	return score
}

// youngScore is the highest of a metric that is younger than two days: of so few
// points none is known to be one in a million.
const youngScore = 89

// probability of a score, two-sided; NaN where the detector cannot judge.
func (j judge) probability(w detector.Watcher, direction Direction) float64 {
	if exact, is := w.(detector.Exact); is {
		return exact.Probability()
	}
	score := w.Score()
	switch {
	case math.IsNaN(score) || j.silent:
		return math.NaN()
	case direction == Above && score < 0, direction == Below && score > 0:
		return 1
	}
	return min(max(2*j.usual.Probability(score), j.least), 1)
}
