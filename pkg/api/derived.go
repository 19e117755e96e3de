package api

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine"
)

// derived is a metric that Foresight works out.
type derived struct {
	name, help string
	// subjects are the forms in which the labels can say what is asked about.
	subjects   [][]parameter
	parameters []parameter
	work       func(*Hooks, context.Context, question, span) ([]row, error)
}

// row is one series of an answer.
type row struct {
	labels map[string]string
	points []point // ascending by time, finite values
	// warnings say how far the numbers can be trusted, and what was left out.
	warnings []string
}

type point struct {
	at    time.Time
	value float64
}

// The forms of subjects.
var (
	ofSeries        = []parameter{{name: "series"}}
	ofServiceSignal = []parameter{{name: "service"}, {name: "signal", fallback: "traffic"}}
	ofService       = []parameter{{name: "service"}}
)

// lead and quantile are those that autoscaling needs; horizon is that of an
// early warning.
var (
	lead      = parameter{name: "lead", fallback: "10m"}
	threshold = parameter{name: "threshold", optional: true}
	horizon   = parameter{name: "horizon", fallback: "1h"}
)

// catalogue is every derived metric there is.
var catalogue = []derived{
	{
		name:     "foresight_anomaly_score",
		help:     "How unusual a service, one of its signals, or a series is now: 0 to 100.",
		subjects: [][]parameter{ofSeries, {{name: "service"}, {name: "signal", optional: true}}},
		work:     (*Hooks).anomalyScore,
	},
	{
		name:       "foresight_forecast",
		help:       "What a signal will be, lead ahead, at a quantile; 0.5 is the expected value.",
		subjects:   [][]parameter{ofSeries, ofServiceSignal},
		parameters: []parameter{lead, {name: "quantile", fallback: "0.5"}},
		work:       (*Hooks).forecast,
	},
	{
		name:       "foresight_predicted_demand",
		help:       "The largest load until lead from now at a quantile, and never less than the load now.",
		subjects:   [][]parameter{ofSeries, ofService},
		parameters: []parameter{lead, {name: "quantile", fallback: "0.95"}},
		work:       (*Hooks).predictedDemand,
	},
	{
		name:       "foresight_breach_probability",
		help:       "Probability, 0 to 1, that the threshold is reached within the horizon.",
		subjects:   [][]parameter{ofSeries, ofServiceSignal},
		parameters: []parameter{threshold, horizon},
		work:       (*Hooks).breachProbability,
	},
	{
		name:       "foresight_breach_seconds",
		help:       "Seconds until the threshold is reached, most likely; the horizon where that is less likely than not within it.",
		subjects:   [][]parameter{ofSeries, ofServiceSignal},
		parameters: []parameter{threshold, horizon},
		work:       (*Hooks).breachSeconds,
	},
	{
		name:       "foresight_canary_score",
		help:       "How well a canary does: 0 where it fails, 75 to below 95 where undecided, 95 to 100 where it passes.",
		subjects:   [][]parameter{ofService},
		parameters: ofCanary,
		work:       (*Hooks).canaryScore,
	},
	{
		name:       "foresight_canary_verdict",
		help:       "The decision over a canary: 1 pass, 0 undecided, -1 fail.",
		subjects:   [][]parameter{ofService},
		parameters: ofCanary,
		work:       (*Hooks).canaryVerdict,
	},
	{
		name:       "foresight_recommended_replicas",
		help:       "How many replicas a service needs for the load until lead from now at a quantile, and never fewer than the load now needs.",
		subjects:   [][]parameter{ofService},
		parameters: ofReplicas,
		work:       (*Hooks).recommendedReplicas,
	},
	{
		name:       "foresight_recommended_pool_size",
		help:       "How many connections each instance of a service needs, by pool.",
		subjects:   [][]parameter{ofService},
		parameters: ofPool,
		work:       (*Hooks).recommendedPool,
	},
	{
		name:       "foresight_recommended_max_concurrency",
		help:       "How many requests to a service may be under way at once.",
		subjects:   [][]parameter{ofService},
		parameters: ofConcurrency,
		work:       (*Hooks).recommendedConcurrency,
	},
	{
		name:     "foresight_model_age_seconds",
		help:     "Age of the newest observation that answers about a signal rest on.",
		subjects: [][]parameter{ofSeries, ofServiceSignal},
		work:     (*Hooks).modelAge,
	},
	{
		name: "foresight_up",
		help: "1 where every configured upstream answers, else 0.",
		work: (*Hooks).up,
	},
}

func derivedNamed(name string) (derived, bool) {
	i := slices.IndexFunc(catalogue, func(d derived) bool { return d.name == name })
	if i < 0 {
		return derived{}, false
	}
	return catalogue[i], true
}

// finestStep is that of all answers to hooks, as it is of rules.
const finestStep = time.Minute

// span is the instants at which an answer is to be told.
type span struct {
	from, to time.Time
	every    time.Duration
}

func (s span) single() bool { return s.from.Equal(s.to) }

// lookBack is the window of a rule: see provisioning/alerting.
const lookBack = 30 * time.Minute

// window is the asked one with a rule's window before its first instant, so
// that hooks and rules get the same number.
func (s span) window() engine.Window {
	return engine.Window{From: s.from.Add(-lookBack), To: s.to, Step: finestStep}
}

// at is the window of a single instant.
func at(t time.Time) engine.Window { return span{from: t, to: t}.window() }

// mostInstants bounds the answers that are worked out anew for each instant.
const mostInstants = 61

// instants are the points in time, oldest first.
func (s span) instants() ([]time.Time, error) {
	if s.single() {
		return []time.Time{s.to}, nil
	}
	if n := int(s.to.Sub(s.from)/s.every) + 1; n > mostInstants {
		return nil, noTrust("%d points are more than the %d that are worked out for one query: widen the step or shorten the range", n, mostInstants)
	}
	var found []time.Time
	for t := s.from; !t.After(s.to); t = t.Add(s.every) {
		found = append(found, t)
	}
	return found, nil
}

// told is a line of values on a grid as points; what is missing is left out.
func told(start time.Time, step time.Duration, values []float64, from time.Time) []point {
	var points []point
	for i, v := range values {
		t := start.Add(time.Duration(i) * step)
		if !t.Before(from) && !math.IsNaN(v) && !math.IsInf(v, 0) {
			points = append(points, point{t, v})
		}
	}
	return points
}
