package promapi

import (
	"context"
	"slices"
)

// metric is a metric that Foresight derives on request.
type metric struct {
	name, help string
	// subjects are the forms in which the labels can name the subject.
	subjects   [][]parameter
	parameters []parameter
	evaluate   evaluator
}

// evaluator computes the series of a selector over a time range.
type evaluator func(*API, context.Context, selector, timeRange) ([]timeSeries, error)

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

// catalog is every derived metric.
var catalog = []metric{
	{
		name:     "foresight_anomaly_score",
		help:     "How unusual a service, one of its signals, or a series is now: 0 to 100.",
		subjects: [][]parameter{ofSeries, {{name: "service"}, {name: "signal", optional: true}}},
		evaluate: (*API).anomalyScore,
	},
	{
		name:       "foresight_forecast",
		help:       "What a signal will be, lead ahead, at a quantile; 0.5 is the expected value.",
		subjects:   [][]parameter{ofSeries, ofServiceSignal},
		parameters: []parameter{lead, {name: "quantile", fallback: "0.5"}},
		evaluate:   (*API).forecast,
	},
	{
		name:       "foresight_predicted_demand",
		help:       "The largest load until lead from now at a quantile, and never less than the load now.",
		subjects:   [][]parameter{ofSeries, ofService},
		parameters: []parameter{lead, {name: "quantile", fallback: "0.95"}},
		evaluate:   (*API).predictedDemand,
	},
	{
		name:       "foresight_breach_probability",
		help:       "Probability, 0 to 1, that the threshold is reached within the horizon.",
		subjects:   [][]parameter{ofSeries, ofServiceSignal},
		parameters: []parameter{threshold, horizon},
		evaluate:   (*API).breachProbability,
	},
	{
		name:       "foresight_breach_seconds",
		help:       "Seconds until the threshold is reached, most likely; the horizon where that is less likely than not within it.",
		subjects:   [][]parameter{ofSeries, ofServiceSignal},
		parameters: []parameter{threshold, horizon},
		evaluate:   (*API).breachSeconds,
	},
	{
		name:       "foresight_canary_score",
		help:       "How well a canary does: 0 where it fails, 75 to below 95 where undecided, 95 to 100 where it passes.",
		subjects:   [][]parameter{ofService},
		parameters: ofCanary,
		evaluate:   (*API).canaryScore,
	},
	{
		name:       "foresight_canary_verdict",
		help:       "The decision over a canary: 1 pass, 0 undecided, -1 fail.",
		subjects:   [][]parameter{ofService},
		parameters: ofCanary,
		evaluate:   (*API).canaryVerdict,
	},
	{
		name:       "foresight_recommended_replicas",
		help:       "How many replicas a service needs for the load until lead from now at a quantile, and never fewer than the load now needs.",
		subjects:   [][]parameter{ofService},
		parameters: ofReplicas,
		evaluate:   (*API).recommendedReplicas,
	},
	{
		name:       "foresight_recommended_pool_size",
		help:       "How many connections each instance of a service needs, by pool.",
		subjects:   [][]parameter{ofService},
		parameters: ofPool,
		evaluate:   (*API).recommendedPool,
	},
	{
		name:       "foresight_recommended_max_concurrency",
		help:       "The recommended maximum of concurrent requests to a service.",
		subjects:   [][]parameter{ofService},
		parameters: ofConcurrency,
		evaluate:   (*API).recommendedConcurrency,
	},
	{
		name:     "foresight_model_age_seconds",
		help:     "Age of the newest observation that answers about a signal rest on.",
		subjects: [][]parameter{ofSeries, ofServiceSignal},
		evaluate: (*API).modelAge,
	},
	{
		name:     "foresight_up",
		help:     "1 where every configured upstream answers, else 0.",
		evaluate: (*API).up,
	},
}

func metricNamed(name string) (metric, bool) {
	i := slices.IndexFunc(catalog, func(m metric) bool { return m.name == name })
	if i < 0 {
		return metric{}, false
	}
	return catalog[i], true
}
