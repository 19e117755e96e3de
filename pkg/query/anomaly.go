package query

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Anomaly asks what about a metric is unusual.
type Anomaly struct {
	Common
	// Expr is the metric, in PromQL.
	Expr string `json:"expr" jsonschema:"minLength=1,maxLength=65536"`
	// Filters narrow every series that Expr selects.
	Filters []Filter `json:"filters,omitempty" jsonschema:"maxItems=50"`
	// Model of the expectation: "auto" (default) or a forecast model's name.
	Model string `json:"model,omitempty"`
	// History is how far back to learn from. Default 14d.
	History Duration `json:"history,omitempty"`
	// Step overrides the step that follows from the panel's resolution.
	Step Duration `json:"step,omitempty"`
	// Probability of the band. Default 0.99.
	Probability float64 `json:"probability,omitempty"`
	// Direction is "both" (default), "above" or "below".
	Direction string `json:"direction,omitempty" jsonschema:"enum=both,enum=above,enum=below"`
	// MinDeviation is the smallest deviation that counts, in the metric's unit.
	MinDeviation float64 `json:"minDeviation,omitempty"`
	// MinRelativeDeviation is the smallest deviation that counts, as a share of
	// what is expected: 0.1 is a tenth.
	MinRelativeDeviation float64 `json:"minRelativeDeviation,omitempty"`
	// TimeZone is the IANA name of the place whose clock days and weeks follow
	// when daylight saving begins or ends, as "Europe/Berlin". Default UTC.
	TimeZone string `json:"timeZone,omitempty"`
	// Peers compares each series with the others of the query, as replicas of one
	// service: what all of them do is usual, the odd one out is not. Three series at
	// least.
	Peers bool `json:"peers,omitempty"`
	// Distribution says that the series are the buckets of histograms, with the label
	// le: the whole shape of each histogram is judged, against its usual one at the
	// time of the day.
	Distribution bool `json:"distribution,omitempty"`
	// Threshold is the score from which on there is an event. Default 75.
	Threshold float64 `json:"threshold,omitempty"`
	// Detectors that judge, by name. Default: those that need no choice.
	Detectors []string `json:"detectors,omitempty"`
	// NonNegative says that the quantity cannot fall below zero. Default true.
	NonNegative *bool `json:"nonNegative,omitempty"`
	// Feedback says of past events whether they were real; five of either kind
	// re-rank the events of the window. Annotations in Grafana tagged
	// foresight:true or foresight:false are added to it.
	Feedback []Feedback `json:"feedback,omitempty" jsonschema:"maxItems=500"`
	// Legend names the series, as in Prometheus' legend: {{label}}. Default:
	// the labels that tell the series apart.
	Legend string `json:"legend,omitempty"`
	// Live keeps a panel that ends now up to date through Grafana Live. The
	// frontend reads it; the answer is the same.
	Live bool `json:"live,omitempty"`
	// Value is what a rule gets: "number" (default) or "firing", 1 or 0 by the
	// threshold.
	Value Value `json:"value,omitempty" jsonschema:"enum=number,enum=firing"`
}

// Type implements Query.
func (Anomaly) Type() Type { return TypeAnomaly }

// WithDefaults fills in what was not asked for.
func (q Anomaly) WithDefaults() Anomaly {
	q.Common = q.withDefaults()
	q.Model = cmp.Or(q.Model, DefaultModel)
	q.History = cmp.Or(q.History, DefaultHistory)
	q.Probability = cmp.Or(q.Probability, DefaultAnomalyProbability)
	q.Direction = cmp.Or(q.Direction, DefaultDirection)
	q.Threshold = cmp.Or(q.Threshold, DefaultThreshold)
	q.NonNegative = orTrue(q.NonNegative)
	return q
}

// Validate implements Query.
func (q Anomaly) Validate() error {
	return first(
		checkFormat(TypeAnomaly, q.Format),
		checkValue(q.Value),
		checkExpr(q.Expr, "judge"),
		checkFilters(q.Filters),
		checkModel(q.Model),
		checkDuration("history", q.History, minHistory, maxHistory),
		checkDuration("step", q.Step, minStep, maxStep),
		checkOrder("history", q.History, q.Step),
		checkProbability(q.Probability),
		checkChoice("direction", q.Direction, "both", "above", "below"),
		checkRange("minDeviation", q.MinDeviation, 0, maxMinDeviation),
		checkRange("minRelativeDeviation", q.MinRelativeDeviation, 0, maxRelativeDeviation),
		checkTimeZone(q.TimeZone),
		checkRange("threshold", q.Threshold, 0, 100),
		checkDetectors(q.Detectors),
		checkFeedback(q.Feedback),
		checkName("legend", q.Legend),
		q.checkDistribution(),
	)
}

// checkDistribution refuses what is about values, and not about shapes.
func (q Anomaly) checkDistribution() error {
	switch {
	case !q.Distribution:
		return nil
	case q.Peers:
		return errors.New("distribution and peers exclude each other: leave one out")
	case q.Live:
		return errors.New("distribution cannot be live: leave live out, and let the dashboard refresh")
	case len(q.Detectors) > 0 || len(q.Feedback) > 0:
		return errors.New("distribution has no detectors and takes no feedback: leave detectors and feedback out")
	}
	return nil
}

// Feedback is what a person says of an event.
type Feedback struct {
	// Time lies in the event: RFC 3339, milliseconds since the epoch, or relative
	// to the end of the window ("-30m").
	Time string `json:"time" jsonschema:"minLength=1"`
	// Real is false for a false alarm.
	Real *bool `json:"real"`
}

// At is the instant the feedback speaks of. It fails as validation does.
func (f Feedback) At(windowTo time.Time) (time.Time, error) {
	return moment("feedback", f.Time, windowTo)
}

// checkDetectors checks the form only: which detectors there are is for the
// room of anomalies to say.
func checkDetectors(names []string) error {
	const most = 32
	if len(names) > most {
		return fmt.Errorf("detectors has %d names; at most %d are allowed", len(names), most)
	}
	for _, name := range names {
		if name == "" || !modelName.MatchString(name) {
			return fmt.Errorf("detectors holds %.40q, which is not a detector's name", name)
		}
	}
	return nil
}

func checkFeedback(all []Feedback) error {
	const most = 500
	if len(all) > most {
		return fmt.Errorf("feedback has %d labels; at most %d are allowed", len(all), most)
	}
	for i, one := range all {
		field := fmt.Sprintf("feedback[%d].time", i)
		if one.Time == "" {
			return fmt.Errorf("%s is missing: say when the event was", field)
		}
		if _, err := moment(field, one.Time, time.Time{}); err != nil {
			return err
		}
		if one.Real == nil {
			return fmt.Errorf("feedback[%d].real is missing: true for a real event, false for a false alarm", i)
		}
	}
	return nil
}
