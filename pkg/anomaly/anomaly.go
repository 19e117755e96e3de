// Package anomaly says how unusual observations are: bands, scores, events.
package anomaly

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// Direction says which deviations count.
type Direction string

// The directions.
const (
	Both  Direction = "both"
	Above Direction = "above"
	Below Direction = "below"
)

// Request asks for anomalies in the last part of a history.
type Request struct {
	// History is on a grid of instants; days and weeks follow the clock of its
	// start's location.
	History series.Series
	From    time.Time // evaluate points from here on; all before is history
	// Past is how much before each midnight teaches, as far as there is history.
	// With History reaching back that far before Epoch(From), the score of a
	// point is the same in every window. Default and most: 28 days.
	Past time.Duration
	// Seasons are the candidate periods; empty: hour, day, week.
	Seasons   []time.Duration
	Model     string // of the expectation: "auto" or a forecast model's name
	Direction Direction
	// MinDeviation is the smallest absolute deviation from the expectation
	// that counts, in the series' unit.
	MinDeviation float64
	// MinRelativeDeviation is the smallest deviation that counts, as a share of
	// the expectation: 0.1 is a tenth of it.
	MinRelativeDeviation float64
	// Threshold is the score from which a point belongs to an event.
	Threshold float64
	// Probability of the band, as 0.99.
	Probability float64
	NonNegative bool
	// Detectors that judge, by name; empty: detector.Defaults.
	Detectors []string
	// Feedback on past events re-ranks the events of the window; with less than
	// five events of either kind the score stays what it is.
	Feedback []Feedback
	// Models remembers what was learned, so that equal histories teach once; nil
	// to remember nothing.
	Models *Models
	// Constants replaces the numbers chosen on data, where a benchmark chooses
	// others; nil for those.
	Constants *Constants
}

// Result holds one value per evaluated point.
type Result struct {
	Actual                 series.Series // the evaluated part
	Expected, Lower, Upper []float64
	// Score is 0–100. What scores 75 is expected about once in 30 days of a metric
	// whatever its step, 50 once in three days, 90 and above once in ten years. NaN
	// where the point is missing or could not be judged.
	Score []float64
	// Judgements are those of each detector, before they were put together and
	// gated.
	Judgements []Judgement
	Events     []Event
	// Shifts are the lasting changes of level that were accepted.
	Shifts     []Shift
	Model      string
	Season     time.Duration
	Parameters map[string]float64
	Observed   int
	Notices    []string
}

// Judgement is one detector's view.
type Judgement struct {
	Detector string
	// Probability of something as unusual as each point; NaN where the detector
	// cannot judge.
	Probability []float64
}

// Shift is a lasting change of level. From Time on the new level is what is
// expected.
type Shift struct {
	Time time.Time
	By   float64 // the change, in the series' unit
}

// Witness is the part of a detector, or of a signal, in the score of an event's
// peak.
type Witness struct {
	Name  string
	Share float64 // 0–1
}

// Event is a run of unusual points: one incident, one event.
type Event struct {
	Start, End time.Time // End is the last unusual point
	Score      float64   // the peak
	Above      bool      // the peak lay above the expectation
	Actual     float64   // at the peak
	Expected   float64
	// Witnesses are the detectors that saw the peak, the largest share first.
	Witnesses []Witness
}
