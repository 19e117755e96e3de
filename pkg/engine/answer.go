// Package engine holds one file per question: what to fetch, and which domain
// function to call. It is the only room that knows both upstreams and domains.
package engine

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Engine answers questions. It holds no state of its own, only memory of what
// can be learned again: the same question about the same data has the same
// answer on every replica.
type Engine struct {
	Metrics upstream.Metrics // nil where none is configured
	Traces  upstream.Traces  // nil where none is configured
	// DeployLogs are the places where deploys are announced, the most trusted first.
	DeployLogs []DeployLog
	// Signals are those an administrator defined; presets fill in other kinds.
	Signals []SignalSetting
	// Feedback, Acts, Incidents and Alerts are what people and automation wrote
	// down; nil where nothing can be read.
	Feedback  annotation.Source[annotation.Feedback]
	Acts      annotation.Source[annotation.Act]
	Incidents annotation.Source[annotation.Incident]
	Alerts    annotation.Source[annotation.Alert]
	// IgnoreVersions says that a new service.version in traces is no deploy.
	IgnoreVersions bool
	Limits         Limits
	// Models and ForecastModels remember what histories taught; nil to learn each
	// time.
	Models         *anomaly.Models
	ForecastModels *ForecastModels
	// Now tells the time; it only keeps windows out of the future.
	Now func() time.Time
}

// Limits bound what one question may cost.
type Limits struct {
	MaxSeries int // series per question
	MaxTraces int // traces per side of a comparison
}

// Window is the time range a question is about, as it was asked: not yet
// aligned.
type Window struct {
	From, To time.Time
	Step     time.Duration // what the panel can show; 0 for no wish
}

// Basis says what an answer rests on.
type Basis struct {
	Queries    []string // the upstream queries as they were sent
	Notices    []string // what was left out, repaired or replaced
	Parameters map[string]any
}

// ForecastAnswer holds one forecast per series.
type ForecastAnswer struct {
	Basis
	RangeEnd time.Time // of the asked window, which may lie in the future
	Series   []ForecastSeries
}

// ForecastSeries is one series' recent past and its forecast.
type ForecastSeries struct {
	Labels   series.Labels
	Actual   series.Series // the part of the history inside the asked window
	Forecast forecast.Result
	// Problem is why there is no forecast ("not enough data: ..."); empty for
	// none.
	Problem string
}

// AnomalyAnswer holds one result per series.
type AnomalyAnswer struct {
	Basis
	// Shown is the resolution that a panel can show; 0 for any.
	Shown  time.Duration
	Series []AnomalySeries
}

// AnomalySeries is one series with its band, scores and events.
type AnomalySeries struct {
	Labels series.Labels
	Result anomaly.Result
	// Problem is why the series could not be judged; empty for no problem.
	Problem string
}

// DeploysAnswer lists the versions seen, oldest arrival first.
type DeploysAnswer struct {
	Basis
	Deploys []Deploy
	// seen and measured are the versions that served, as traces and as span
	// metrics show it.
	seen, measured []Deploy
	// unknown says which of the sources could not be asked.
	unknown []string
}

// Deploy is one version of one service inside the window.
type Deploy struct {
	Service, Version    string
	Previous            string // the version it arrived after; empty where none was seen
	FirstSeen, LastSeen time.Time
	// Arrived tells a deploy from the versions with which the service, or its
	// traces, began inside the window.
	Arrived bool
	// At is the instant of the deploy, as Source knows it; where it was announced
	// that may be before its first span, or after.
	At     time.Time
	Source DeploySource
	// Note is the announcement's own text, or the metric that changed.
	Note string
	// InTraces says that spans carry the version, so that its traces can be
	// found.
	InTraces bool
	// Share is the version's share of the service's spans in the last tenth of
	// the window, 0–1.
	Share float64
	// ran are the times in which the version served, as far as they are known.
	ran []Stretch
}

// TraceDiffAnswer is the comparison of two populations.
type TraceDiffAnswer struct {
	Basis
	Service, Operation string
	BaselineVersion    string
	CandidateVersion   string
	// BaselineTraceQL and CandidateTraceQL show the populations in Explore.
	BaselineTraceQL, CandidateTraceQL string
	Result                            diff.Result
}

// NamesAnswer is a sorted list for a variable.
type NamesAnswer struct {
	Basis
	Names []string
}
