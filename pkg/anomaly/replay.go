package anomaly

import (
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// Span is what one evaluation of a rule looks at: the points from From to To, both
// included. It must not see what comes after To.
type Span struct{ From, To time.Time }

// Course is a metric judged as by a rule that was evaluated again and again.
type Course struct {
	parts []coursePart
	spans int
}

// coursePart is a run of evaluations that one result answers.
type coursePart struct {
	spans  []Span
	result Result // empty where nothing could be judged
}

// Replay judges a series as judge, Detect or a group's, would at each of the
// spans, with what was known at their ends. The spans are in the order of time,
// all begin in one epoch (see Epoch), and the history begins where that of each
// of them does. The scores are those of as many calls, bit for bit, at the cost
// of one: what is learned depends on the epoch alone. Only while a metric is so
// young that no midnight with a past exists are spans judged one by one.
//
// A span whose past is too short to learn from has no score. The error is that
// of a request that makes no sense.
func Replay(r Request, spans []Span, judge func(Request) (Result, error)) (Course, error) {
	check := r
	if err := validate(&check); err != nil {
		return Course{}, err
	}
	course := Course{spans: len(spans)}
	for len(spans) > 0 {
		n := 1
		if settled(r.History, spans[0], shortHistory) {
			for n < len(spans) && settled(r.History, spans[n], shortHistory) {
				n++
			}
		}
		course.parts = append(course.parts, r.replay(spans[:n], judge)...)
		spans = spans[n:]
	}
	return course, nil
}

// replay judges settled spans at once. Where that fails, those that reach into
// one epoch more are judged separately: the others may have enough to learn from.
func (r Request) replay(spans []Span, judge func(Request) (Result, error)) []coursePart {
	last := spans[len(spans)-1]
	whole := r
	whole.From = spans[0].From
	whole.History.Values = r.History.Values[:min(max(r.History.Index(last.To.Add(r.History.Step)), 0), r.History.Len())]
	result, err := judge(whole)
	if err == nil {
		result.Judgements, result.Events = nil, nil
		return []coursePart{{spans, result}}
	}
	epoch := Epoch(last.To, r.History.Step)
	for i, s := range spans {
		if i > 0 && !Epoch(s.To, r.History.Step).Before(epoch) {
			return append(r.replay(spans[:i], judge), r.replay(spans[i:], judge)...)
		}
	}
	return []coursePart{{spans: spans}}
}

// settled tells whether what judges the beginning of a span depends on the epoch
// alone, and not on where the span begins.
func settled(h series.Series, s Span, taught time.Duration) bool {
	observed := firstObserved(h)
	from := min(max(h.Index(s.From), 0), h.Len())
	begun, _ := stretch(h.Time(from), h.Time(observed).Add(taught), h.Step)
	return h.Index(begun) >= observed+minLearned
}

// Settled tells the same of an early warning, which needs no two days to know
// what a day is like.
func Settled(h series.Series, s Span) bool { return settled(h, s, 0) }

// Scores are those that a rule evaluates at the ends of the spans, NaN for no
// data: see Result.CurrentScore. Events begin at the threshold. Deviations below
// minDeviation, beside those of the request, do not count.
func (c Course) Scores(threshold, minDeviation float64) []float64 {
	scores := make([]float64, 0, c.spans)
	for _, p := range c.parts {
		if minDeviation > 0 {
			p.result.Score = counted(p.result, minDeviation)
		}
		scores = p.scores(scores, threshold)
	}
	return scores
}

// counted are the scores of deviations that are large enough.
func counted(r Result, minDeviation float64) []float64 {
	scores := slices.Clone(r.Score)
	for i, score := range scores {
		if score > 0 && math.Abs(r.Actual.Values[i]-r.Expected[i]) < minDeviation {
			scores[i] = 0
		}
	}
	return scores
}

func (p coursePart) scores(scores []float64, threshold float64) []float64 {
	r := p.result
	if len(r.Score) == 0 {
		for range p.spans {
			scores = append(scores, math.NaN())
		}
		return scores
	}
	c := DefaultConstants()
	active, calm := activity(r.Score, newGrouping(threshold, r.Actual.Step, c))
	for _, s := range p.spans {
		from, to := max(r.Actual.Index(s.From), 0), min(r.Actual.Index(s.To), len(r.Score)-1)
		if from > to {
			scores = append(scores, math.NaN())
			continue
		}
		at := latest(r.Score[from : to+1])
		if at < 0 {
			scores = append(scores, math.NaN())
			continue
		}
		at += from
		current := r.Score[at]
		if active[at] {
			current = peakAt(r.Score, max(from, calm[at]), at, current, newGrouping(threshold, r.Actual.Step, c))
		}
		scores = append(scores, floorScore(current))
	}
	return scores
}

// activity tells which points belong to an event of a run over all scores, and
// for each point the last one before it after which no event can be under way.
// Events of a run that begins later belong to events of this one.
func activity(scores []float64, group grouping) (active []bool, calm []int) {
	active, calm = make([]bool, len(scores)), make([]int, len(scores))
	last := 0
	for i, score := range scores {
		group.next(score)
		active[i] = group.active
		if !group.active && group.since > group.patience {
			last = i
		}
		calm[i] = last
	}
	return active, calm
}

// peakAt is a score raised to the peak of the event that a point belongs to, of
// a run that begins at from.
func peakAt(scores []float64, from, at int, current float64, group grouping) float64 {
	peak, belongs := math.NaN(), false
	for _, score := range scores[from : at+1] {
		part := group.next(score)
		belongs = part != outside
		switch {
		case part == begins:
			peak = score
		case part == goesOn && score > peak:
			peak = score
		}
	}
	if belongs && peak > current && !math.IsInf(peak, 0) {
		return peak
	}
	return current
}

// Each hands over what was judged, in the order of time, each point once: where
// two evaluations judged a point differently, as the later one did.
func (c Course) Each(see func(at time.Time, actual, expected, lower, upper, score float64)) {
	for k, p := range c.parts {
		r := p.result
		for i := range r.Score {
			at := r.Actual.Time(i)
			if k+1 < len(c.parts) && len(c.parts[k+1].result.Score) > 0 && !at.Before(c.parts[k+1].result.Actual.Start) {
				break
			}
			see(at, r.Actual.Values[i], r.Expected[i], r.Lower[i], r.Upper[i], r.Score[i])
		}
	}
}

// Deviation is how far the metric was from what was expected at an instant.
func (c Course) Deviation(at time.Time) (float64, bool) {
	for _, p := range c.parts {
		r := p.result
		if i := r.Actual.Index(at); i >= 0 && i < len(r.Score) {
			v := math.Abs(r.Actual.Values[i] - r.Expected[i])
			return v, !math.IsNaN(v)
		}
	}
	return 0, false
}

// Size is about how many bytes it takes.
func (c Course) Size() (bytes int) {
	for _, p := range c.parts {
		bytes += 5*8*len(p.result.Score) + 200
	}
	return bytes
}

// ReplayComposite is Replay for several signals together. The histories begin
// where that of an evaluation whose reach begins in the first span's epoch does.
func ReplayComposite(r CompositeRequest, spans []Span) (Course, error) {
	course := Course{spans: len(spans)}
	all := func(s Span) bool {
		for _, signal := range r.Signals {
			if !settled(signal.History, Span{s.From.Add(-Reach), s.To}, shortHistory) {
				return false
			}
		}
		return true
	}
	for len(spans) > 0 {
		n := 1
		if all(spans[0]) {
			for n < len(spans) && all(spans[n]) {
				n++
			}
		}
		part, err := r.replay(spans[:n])
		if err != nil {
			return Course{}, err
		}
		course.parts = append(course.parts, part...)
		spans = spans[n:]
	}
	return course, nil
}

func (r CompositeRequest) replay(spans []Span) ([]coursePart, error) {
	last := spans[len(spans)-1]
	whole := r
	whole.From = spans[0].From
	whole.Signals = make([]Signal, len(r.Signals))
	for i, signal := range r.Signals {
		h := signal.History
		h.Values = h.Values[:min(max(h.Index(last.To.Add(h.Step)), 0), h.Len())]
		signal.History = h
		whole.Signals[i] = signal
	}
	result, err := Composite(whole)
	failed := err != nil
	for _, signal := range result.Signals {
		failed = failed || signal.Problem != ""
	}
	if failed && len(spans) > 1 {
		step := r.Signals[0].History.Step
		epoch := Epoch(last.To, step)
		for i, s := range spans {
			if i > 0 && !Epoch(s.To, step).Before(epoch) {
				first, err := r.replay(spans[:i])
				if err != nil {
					return nil, err
				}
				second, err := r.replay(spans[i:])
				return append(first, second...), err
			}
		}
	}
	if err != nil {
		return []coursePart{{spans: spans}}, nil
	}
	judged := Result{
		Actual: series.Series{Start: result.Start, Step: result.Step, Values: result.Score}, Score: result.Score,
		Expected: result.Score, Lower: result.Score, Upper: result.Score,
	}
	return []coursePart{{spans, judged}}, nil
}
