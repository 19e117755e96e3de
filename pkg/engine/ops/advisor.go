// Package ops answers what to do: sizes, verdicts, playbooks, and their impact.
package ops

import (
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
)

// Advisor answers what operators act on: canary verdicts, sizes, the impact of
// alerting, and the facts of playbooks.
type Advisor struct {
	core.Sources
	Signals   signals.Finder
	Evaluator metrics.Evaluator
	Deploys   deploys.Detector
	Comparer  traces.Comparer
}
