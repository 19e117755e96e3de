package anomaly

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/series"
)

// ErrBadRequest says that the request itself cannot be answered.
var ErrBadRequest = errors.New("bad anomaly request")

// The defaults of a request.
const (
	DefaultThreshold   = 75
	DefaultProbability = 0.99
)

const fewestLearned = 20 // points before the first one judged

// Detect judges the points from r.From on. The error wraps
// forecast.ErrShortHistory where there is too little before From, and
// ErrBadRequest where the request makes no sense.
//
// Models are learned anew at each midnight (UTC) from the whole days before it,
// so the score of a point depends on the data and on how much history there is,
// not on where the window asked for begins.
func Detect(r Request) (Result, error) {
	if err := validate(&r); err != nil {
		return Result{}, err
	}
	values, infinite := series.Finite(r.History.Values)
	r.History.Values = values
	evaluated := r.History.Between(r.From, r.History.Time(r.History.Len()))
	result := Result{Actual: evaluated, Parameters: map[string]float64{}, Observed: r.History.Observed()}
	for _, name := range r.Detectors {
		result.Judgements = append(result.Judgements, Judgement{Detector: name})
	}
	unit := series.Unit(values)
	r.History.Values = make([]float64, len(values))
	for i, v := range values {
		r.History.Values[i] = v / unit
	}
	r.MinDeviation /= unit
	if infinite > 0 {
		result.notice("%d infinite values were treated as missing", infinite)
	}
	for _, e := range epochs(r) {
		if err := judge(r, e, &result); err != nil {
			return Result{}, err
		}
	}
	for i := range result.Expected {
		result.Expected[i] = bounded(result.Expected[i] * unit)
		result.Lower[i] = bounded(result.Lower[i] * unit)
		result.Upper[i] = bounded(result.Upper[i] * unit)
	}
	for i := range result.Shifts {
		result.Shifts[i].By = bounded(result.Shifts[i].By * unit)
	}
	if missing := evaluated.Len() - evaluated.Observed(); missing > 0 {
		result.notice("%d of %d points are missing and were not judged", missing, evaluated.Len())
	}
	result.Events = Events(result, r.Threshold)
	return result, nil
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
	}
	return nil
}

const (
	longestTraining  = 28 * 24 * time.Hour
	mostTraining     = 50_000 // points
	day              = 24 * time.Hour
	fewestEpochSteps = 24 // a coarse grid learns anew less often than daily
)

// epoch is a stretch judged by one model: points [learn, judge) teach, points
// [judge, end) are judged.
type epoch struct{ learn, judge, end int }

// epochs cut the judged part at midnights.
func epochs(r Request) []epoch {
	h := r.History
	n := h.Len()
	from := min(max(h.Index(r.From), 0), n)
	length := day
	if h.Step > day/fewestEpochSteps {
		length = (fewestEpochSteps*h.Step + day - 1) / day * day
	}
	var cut []epoch
	for at := from; at < n; {
		midnight := floor(h.Time(at), length)
		next := min(max(h.Index(midnight.Add(length)), at+1), n)
		judge := h.Index(midnight)
		if judge < fewestLearned {
			judge = at // no midnight with a past: learn from all there is
		}
		span := min(int(max(longestTraining, 2*length)/h.Step), mostTraining)
		cut = append(cut, epoch{learn: max(judge-span, 0), judge: judge, end: next})
		at = next
	}
	return cut
}

// floor is the last multiple of d since the Unix epoch not after t.
func floor(t time.Time, d time.Duration) time.Time {
	beyond := t.UnixNano() % int64(d)
	if beyond < 0 {
		beyond += int64(d)
	}
	return t.Add(-time.Duration(beyond))
}
