// Package engine evaluates every query. Its sub-packages say what to fetch and
// which domain function to call; nothing else knows both upstreams and domains.
package engine

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/fleet"
	"github.com/foresight-observability/foresight/pkg/engine/journeys"
	"github.com/foresight-observability/foresight/pkg/engine/ledger"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/objectives"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/engine/replays"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Engine evaluates queries. It keeps no state but caches of what can be learned
// again: the same query over the same data has the same answer on every replica.
type Engine struct {
	Metrics upstream.Metrics // nil where none is configured
	Traces  upstream.Traces  // nil where none is configured
	// DeployLogs are the places where deploys are announced, the most trusted first.
	DeployLogs []DeployLog
	// Signals are those an administrator defined; presets fill in other kinds.
	Signals []signals.Setting
	// Percentiles are the quantiles of latency by service; nil for the 95 % one.
	Percentiles signals.Percentiles
	// Journeys are those an administrator described.
	Journeys []journeys.Setting
	// Objectives are those an administrator described.
	Objectives []objectives.Setting
	// Feedback, Acts, Incidents, Alerts and Announced are what people and automation
	// wrote down; nil where nothing can be read.
	Feedback  annotation.Source[annotation.Feedback]
	Acts      annotation.Source[annotation.Act]
	Incidents annotation.Source[annotation.Incident]
	Alerts    annotation.Source[annotation.Alert]
	Announced annotation.Source[annotation.Change]
	// IgnoreVersions says that a new service.version in traces is no deploy.
	IgnoreVersions bool
	Limits         core.Limits
	// Scrape is how often metrics are scraped; 0 to learn it from the samples.
	Scrape time.Duration
	// Models and ForecastModels cache what histories taught; nil to learn each
	// time.
	Models         *anomaly.Models
	ForecastModels *metrics.ForecastModels
	// Replays remembers what rules would have evaluated; nil to remember nothing.
	Replays *replays.Results
	// Now is the clock. It only keeps windows out of the future.
	Now func() time.Time
}

func (e *Engine) sources() core.Sources {
	return core.Sources{
		Metrics: e.Metrics, Traces: e.Traces, Feedback: e.Feedback, Acts: e.Acts, Incidents: e.Incidents, Alerts: e.Alerts, Announced: e.Announced,
		Limits: e.Limits, Scrape: e.Scrape, Now: e.Now,
	}
}

func (e *Engine) finder() signals.Finder {
	return signals.Finder{Sources: e.sources(), Custom: e.Signals, Percentiles: e.Percentiles}
}

func (e *Engine) evaluator() metrics.Evaluator {
	return metrics.Evaluator{Sources: e.sources(), Signals: e.finder(), Models: e.Models, ForecastModels: e.ForecastModels}
}

func (e *Engine) detector() deploys.Detector {
	return deploys.Detector{Sources: e.sources(), Logs: e.DeployLogs, IgnoreVersions: e.IgnoreVersions}
}

func (e *Engine) keeper() ledger.Keeper {
	return ledger.Keeper{Sources: e.sources(), Deploys: e.detector()}
}

func (e *Engine) comparer() traces.Comparer {
	return traces.Comparer{Sources: e.sources(), Deploys: e.detector(), Signals: e.finder(), Ledger: e.keeper()}
}

func (e *Engine) analyst() journeys.Analyst {
	return journeys.Analyst{
		Sources: e.sources(), Settings: e.Journeys, Models: e.Models, ForecastModels: e.ForecastModels, Deploys: e.detector(), Comparer: e.comparer(),
	}
}

func (e *Engine) accountant() objectives.Analyst {
	return objectives.Analyst{Sources: e.sources(), Signals: e.finder(), Settings: e.Objectives, ForecastModels: e.ForecastModels, Deploys: e.detector()}
}

func (e *Engine) watcher() fleet.Watcher {
	return fleet.Watcher{Sources: e.sources(), Signals: e.finder(), Deploys: e.detector()}
}

func (e *Engine) advisor() ops.Advisor {
	return ops.Advisor{Sources: e.sources(), Signals: e.finder(), Evaluator: e.evaluator(), Deploys: e.detector(), Comparer: e.comparer()}
}

func (e *Engine) replayer() replays.Replayer {
	return replays.Replayer{Evaluator: e.evaluator(), Advisor: e.advisor(), Results: e.Replays}
}
