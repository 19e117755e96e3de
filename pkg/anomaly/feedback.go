package anomaly

import (
	"errors"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Feedback is what a person says of an event: it was real, or a false alarm.
type Feedback struct {
	Time time.Time // during the event
	Real bool
}

const (
	// nearEvent is how far beside an event feedback on it may lie.
	nearEvent = 30 * time.Minute
	// minBeforeFeedback is the history that it takes to judge old events.
	minBeforeFeedback = 2 * 24 * time.Hour
)

// detectByFeedback judges from the first feedback on, learns from the events it
// speaks of, and moves the scores of all later events by it: see Classifier.
// The score of a point rests on its event as far as it was known then.
func detectByFeedback(r Request) (Result, error) {
	earliest := r.History.Time(minLearned)
	if enough := r.History.Start.Add(minBeforeFeedback); earliest.Before(enough) {
		earliest = enough
	}
	whole := r
	usable := make([]Feedback, 0, len(r.Feedback))
	for _, f := range r.Feedback {
		if !f.Time.Before(earliest) {
			usable = append(usable, f)
		}
	}
	slices.SortStableFunc(usable, func(a, b Feedback) int { return a.Time.Compare(b.Time) })
	if len(usable) > 0 {
		if from := series.Floor(usable[0].Time, day); from.Before(r.From) {
			whole.From = from
			if from.Before(earliest) {
				whole.From = earliest
			}
		}
	}
	result, err := detect(whole)
	if err != nil && whole.From.Before(r.From) && errors.Is(err, forecast.ErrShortHistory) {
		usable = nil // what is old cannot be judged; the window perhaps can
		result, err = detect(r)
	}
	if err != nil {
		return Result{}, err
	}
	labels, passed := labelled(result, r.Threshold, usable)
	passed += len(r.Feedback) - len(usable)
	result = result.last(len(result.Score) - max(result.Actual.Index(r.From), 0))
	classifier, said := LearnLabels(labels, r.Detectors)
	result.rerank(classifier, r.Threshold)
	result.notice("%s", said)
	if passed > 0 {
		result.notice("%d of %d labels match no event in the history and were ignored", passed, len(r.Feedback))
	}
	return result, nil
}

// labelled finds the event of each feedback, as far as the event had come soon
// after: what is said of it teaches the same for ever. Of several on one event
// the last counts.
func labelled(r Result, threshold float64, feedback []Feedback) (labels []Label, passed int) {
	for _, f := range feedback {
		known := r
		known.Score = r.Score[:min(max(r.Actual.Index(f.Time.Add(nearEvent)), 0), len(r.Score))]
		events := Events(known, threshold)
		if len(events) == 0 || f.Time.After(events[len(events)-1].End.Add(nearEvent)) {
			passed++
			continue
		}
		label := Label{Event: events[len(events)-1], Real: f.Real}
		if n := len(labels); n > 0 && labels[n-1].Event.Start.Equal(label.Event.Start) {
			labels = labels[:n-1]
		}
		labels = append(labels, label)
	}
	return labels, passed
}

// last is the result of the last n points.
func (r Result) last(n int) Result {
	first := len(r.Score) - n
	r.Actual.Start, r.Actual.Values = r.Actual.Time(first), r.Actual.Values[first:]
	r.Expected, r.Lower, r.Upper, r.Score = r.Expected[first:], r.Lower[first:], r.Upper[first:], r.Score[first:]
	r.Judgements = slices.Clone(r.Judgements)
	for k := range r.Judgements {
		r.Judgements[k].Probability = r.Judgements[k].Probability[first:]
	}
	r.Shifts = slices.DeleteFunc(r.Shifts, func(s Shift) bool { return s.Time.Before(r.Actual.Start) })
	return r
}

// rerank moves the score of each point of an event by what labels say of the
// event as far as it had come.
func (r *Result) rerank(c Classifier, threshold float64) {
	if c.weights == nil {
		return
	}
	group := newGrouping(threshold, r.Actual.Step, DefaultConstants())
	moved := slices.Clone(r.Score)
	var event Event
	for i, score := range r.Score {
		at := r.Actual.Time(i)
		switch group.next(score) {
		case begins:
			event = Event{Start: at, Score: -1}
			fallthrough
		case goesOn:
			event.extend(at, r.Actual.Values[i], r.Expected[i], score, func() []Witness { return r.witnesses(i) })
			moved[i] = c.move(score, event)
		}
	}
	r.Score = moved
}
