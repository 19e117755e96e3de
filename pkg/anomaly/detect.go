package anomaly

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// ErrBadRequest says that the request itself cannot be answered.
var ErrBadRequest = errors.New("bad anomaly request")

// The defaults of a request.
const (
	DefaultThreshold   = 75
	DefaultProbability = 0.99
)

const minLearned = 20 // points before the first one judged

// Detect judges the points from r.From on. The error wraps
// forecast.ErrShortHistory where there is too little before From, and
// ErrBadRequest where the request makes no sense.
//
// Models are learned anew at each midnight (UTC) from the whole days before it,
// so the score of a point depends on the data and on how much history there is,
// not on where the window asked for begins.
func Detect(r Request) (Result, error) {
	result, _, err := detectAfter(r, 0)
	return result, err
}

// detectAfter is Detect, together with the scores of the time just before From,
// as far as there is history for them.
func detectAfter(r Request, before time.Duration) (result Result, earlier []float64, err error) {
	if err := validate(&r); err != nil {
		return Result{}, nil, err
	}
	values, infinite := series.Finite(r.History.Values)
	r.History.Values = values
	ask := detect
	if len(r.Feedback) > 0 && !r.From.Before(r.History.Start) {
		ask = detectByFeedback
	}
	from := r.From
	r.From = from.Add(-before)
	result, err = ask(r)
	if errors.Is(err, forecast.ErrShortHistory) && before > 0 {
		r.From = from
		result, err = ask(r)
	}
	if err != nil {
		return Result{}, nil, err
	}
	queried := r.History.Between(from, r.History.Time(r.History.Len())).Len()
	earlier = result.Score[:len(result.Score)-queried]
	result = result.last(queried)
	if infinite > 0 {
		result.notice("%d infinite values were treated as missing", infinite)
	}
	for _, shift := range result.Shifts {
		result.notice("a new level was accepted at %s", shift.Time.UTC().Format(time.RFC3339))
	}
	if points := result.Actual.Len(); points > result.Actual.Observed() {
		result.notice("%d of %d points are missing and were not judged", points-result.Actual.Observed(), points)
	}
	result.Events = r.constants().Events(result, r.Threshold)
	return result, earlier, nil
}

// detect judges the points, apart from their events.
func detect(r Request) (Result, error) {
	evaluated := r.History.Between(r.From, r.History.Time(r.History.Len()))
	evaluated.Values = slices.Clone(evaluated.Values) // so that the history can be let go
	result := Result{Actual: evaluated, Parameters: map[string]float64{}, Observed: r.History.Observed()}
	for _, name := range r.Detectors {
		result.Judgements = append(result.Judgements, Judgement{Detector: name})
	}
	first := r.History.Len() - evaluated.Len()
	for _, e := range epochs(r, shortHistory) {
		model, err := r.Models.learn(r, e)
		if err != nil {
			return Result{}, err
		}
		stream, values := model.stream(r), r.History.Values[e.judge:e.end]
		unasked := min(max(first, e.ask)-e.judge, len(values))
		r.Models.pass(stream, values[:unasked])
		result.judge(stream, values[unasked:])
	}
	return result, nil
}

// judge streams the asked points of one epoch and keeps what is said of them.
func (r *Result) judge(s *Stream, values []float64) {
	for _, v := range values {
		o := s.judge(v)
		r.Expected = append(r.Expected, o.Expected)
		r.Lower = append(r.Lower, o.Lower)
		r.Upper = append(r.Upper, o.Upper)
		r.Score = append(r.Score, o.Score)
		for k := range r.Judgements {
			r.Judgements[k].Probability = append(r.Judgements[k].Probability, s.probability[k])
		}
		if o.Shift != 0 {
			r.Shifts = append(r.Shifts, Shift{Time: o.Time, By: o.Shift})
		}
	}
	r.Model, r.Season = s.model.name, s.model.season
	maps.Copy(r.Parameters, s.model.parameters)
}

// bounded keeps a number inside what a float holds.
func bounded(v float64) float64 { return min(max(v, -math.MaxFloat64), math.MaxFloat64) }

func (r *Result) notice(format string, args ...any) {
	r.Notices = append(r.Notices, fmt.Sprintf(format, args...))
}

func validate(r *Request) error {
	if r.History.Step <= 0 {
		return fmt.Errorf("%w: the step must be positive, not %s", ErrBadRequest, r.History.Step)
	}
	if r.Threshold == 0 {
		r.Threshold = DefaultThreshold
	}
	if r.Probability == 0 {
		r.Probability = DefaultProbability
	}
	if len(r.Detectors) == 0 {
		r.Detectors = detector.Defaults()
	}
	if r.Direction == "" {
		r.Direction = Both
	}
	for _, name := range r.Detectors {
		if _, known := detector.Named(name); !known {
			return fmt.Errorf("%w: there is no detector %q; choose among %s", ErrBadRequest, name, strings.Join(detector.Names(), ", "))
		}
	}
	switch {
	case !(r.Threshold > 0 && r.Threshold <= 100):
		return fmt.Errorf("%w: the threshold is a score from 0 to 100, not %v", ErrBadRequest, r.Threshold)
	case !(r.Probability > 0 && r.Probability < 1):
		return fmt.Errorf("%w: the probability must lie between 0 and 1, not %v", ErrBadRequest, r.Probability)
	case r.Direction != Both && r.Direction != Above && r.Direction != Below:
		return fmt.Errorf("%w: the direction is %q, %q or %q, not %q", ErrBadRequest, Both, Above, Below, r.Direction)
	case !(r.MinDeviation >= 0):
		return fmt.Errorf("%w: the least deviation must be zero or more, not %v", ErrBadRequest, r.MinDeviation)
	case !(r.MinRelativeDeviation >= 0):
		return fmt.Errorf("%w: the least relative deviation must be zero or more, not %v", ErrBadRequest, r.MinRelativeDeviation)
	}
	return nil
}

const (
	longestTraining = 28 * 24 * time.Hour
	maxTraining     = 50_000 // points
	day             = 24 * time.Hour
	minEpochSteps   = 24 // a coarse grid learns anew less often than daily
	// shortHistory is how much of a metric it takes to know what a day is like.
	shortHistory = 2 * day
)

// epoch is a stretch judged by one model: points [learn, judge) teach, points
// [judge, end) are judged. The model is good until a time that data may not have
// reached yet.
type epoch struct {
	learn, judge, end int
	// ask is the first point whose judgement counts; those before it were judged
	// by an earlier model.
	ask   int
	until time.Time
}

// epochLength is how long one model judges.
func epochLength(step time.Duration) time.Duration {
	if step > day/minEpochSteps {
		return (minEpochSteps*step + day - 1) / day * day
	}
	return day
}

// longestPast is how many points teach at most.
func longestPast(step, past time.Duration) int {
	if past <= 0 || past > longestTraining {
		past = longestTraining
	}
	return min(int(max(past, 2*epochLength(step))/step), maxTraining)
}

// Epoch is the beginning of the stretch that one model judges t in: at usual
// steps the midnight (UTC) before it.
func Epoch(t time.Time, step time.Duration) time.Time { return series.Floor(t, epochLength(step)) }

// epochs cut the judged part at midnights, and at full hours in the short time
// after the first observation.
func epochs(r Request, short time.Duration) []epoch {
	h := r.History
	n := h.Len()
	from := min(max(h.Index(r.From), 0), n)
	observed := firstObserved(h)
	var cut []epoch
	for at := from; at < n; {
		begun, until := stretch(h.Time(at), h.Time(observed).Add(short), h.Step)
		next := min(max(h.Index(until), at+1), n)
		judge := h.Index(begun)
		if judge < observed+minLearned {
			judge = at // no midnight with a past: learn from all there is
		}
		cut = append(cut, epoch{learn: max(judge-longestPast(h.Step, r.Past), 0), judge: judge, ask: at, end: next, until: until})
		at = next
	}
	return cut
}

// firstObserved is the first point that is not missing, zero for none.
func firstObserved(h series.Series) int {
	return max(slices.IndexFunc(h.Values, func(v float64) bool { return !math.IsNaN(v) }), 0)
}

// stretch is the time around t that one model judges: a day, and until a day is
// known, an hour, so that what is new is learned soon.
func stretch(t, known time.Time, step time.Duration) (begun, until time.Time) {
	length := epochLength(step)
	hour := max(time.Hour, length/24)
	if last := series.Floor(known, hour); last.Before(known) {
		known = last.Add(hour)
	}
	if t.Before(known) {
		begun = series.Floor(t, hour)
		return begun, begun.Add(hour)
	}
	begun, until = series.Floor(t, length), series.Floor(t, length).Add(length)
	if begun.Before(known) {
		begun = known
	}
	return begun, until
}
