package engine

import (
	"context"
	"slices"

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
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Named is a query about several services with their names, where it is about
// every service: those that have metrics under well-known names, or sent spans.
func (e *Engine) Named(ctx context.Context, q query.Several, window core.Window) (query.Several, error) {
	if !q.EveryService() {
		return q, nil
	}
	var known []string
	if e.Metrics != nil {
		measured, err := e.finder().Services(ctx, window)
		if err != nil {
			return q, err
		}
		known = measured
	}
	if e.Traces != nil {
		from, to := core.Hourly(window)
		traced, err := e.Traces.Services(ctx, from, to)
		if err != nil {
			return q, err
		}
		known = append(known, traced...)
	}
	slices.Sort(known)
	known = slices.DeleteFunc(slices.Compact(known), func(name string) bool { return name == "" })
	if len(known) == 0 {
		return q, core.NotFoundErrorf("no service is known between %s and %s", core.FormatTime(window.From), core.FormatTime(window.To))
	}
	named, err := q.Of(known)
	if err != nil {
		return q, core.UserErrorf("service: %v", err)
	}
	return named, nil
}

// Anomaly answers what about a metric is unusual inside the window.
func (e *Engine) Anomaly(ctx context.Context, q query.Anomaly, window core.Window) (metrics.AnomalyAnswer, error) {
	return e.evaluator().Anomaly(ctx, q, window)
}

// Forecast answers what a metric will be after the window.
func (e *Engine) Forecast(ctx context.Context, q query.Forecast, window core.Window) (metrics.ForecastAnswer, error) {
	return e.evaluator().Forecast(ctx, q, window)
}

// Breach answers how likely a metric crosses a threshold.
func (e *Engine) Breach(ctx context.Context, q query.Breach, window core.Window) (metrics.BreachAnswer, error) {
	return e.evaluator().Breach(ctx, q, window)
}

// Explain answers which values of which labels carry a metric's change.
func (e *Engine) Explain(ctx context.Context, q query.Explain, window core.Window) (metrics.ExplainAnswer, error) {
	return e.evaluator().Explain(ctx, q, window)
}

// Composite answers how unusual a service is, all its signals taken together.
func (e *Engine) Composite(ctx context.Context, q query.Composite, window core.Window) (metrics.CompositeAnswer, error) {
	return e.evaluator().Composite(ctx, q, window)
}

// Recent answers with a metric as it was observed inside the window.
func (e *Engine) Recent(ctx context.Context, expr string, window core.Window) (core.RecentAnswer, error) {
	return e.sources().Recent(ctx, expr, window)
}

// Labels lists the labels that the series of the selectors (all for none) have
// inside the window.
func (e *Engine) Labels(ctx context.Context, selectors []string, window core.Window) (core.NamesAnswer, error) {
	return e.evaluator().Labels(ctx, selectors, window)
}

// LabelValues lists the values of a label of the series of the selectors (all for
// none) inside the window.
func (e *Engine) LabelValues(ctx context.Context, label string, selectors []string, window core.Window) (core.NamesAnswer, error) {
	return e.evaluator().LabelValues(ctx, label, selectors, window)
}

// Describe tells what those who expose a metric say of it.
func (e *Engine) Describe(ctx context.Context, metric string) (upstream.MetricDescription, error) {
	return e.evaluator().Describe(ctx, metric)
}

// Signal finds where a service's signal of one kind is measured.
func (e *Engine) Signal(ctx context.Context, service, kind string, window core.Window) (signals.Signal, error) {
	return e.finder().Signal(ctx, service, kind, window)
}

// MeasuredServices are the services that have a metric under a well-known name.
func (e *Engine) MeasuredServices(ctx context.Context, window core.Window) ([]string, error) {
	return e.finder().Services(ctx, window)
}

// PreviewSignals shows what each signal of a service finds inside the window,
// with custom signals in place of the settings'.
func (e *Engine) PreviewSignals(ctx context.Context, service string, custom []signals.Setting, window core.Window) ([]signals.Preview, error) {
	return e.finder().Preview(ctx, service, custom, window)
}

// Deploys answers which versions served inside the window, and when each came.
func (e *Engine) Deploys(ctx context.Context, q query.Deploys, window core.Window) (deploys.Answer, error) {
	return e.detector().Find(ctx, q, window)
}

// FleetIncidents answers what is abnormal across all services, grouped by cause.
func (e *Engine) FleetIncidents(ctx context.Context, q query.Incidents, window core.Window) (fleet.IncidentsAnswer, error) {
	return e.watcher().Incidents(ctx, q, window)
}

// UserJourneys answers how users get through journeys. brief leaves out what a
// rule does not read.
func (e *Engine) UserJourneys(ctx context.Context, q query.Journey, window core.Window, brief bool) (journeys.Answer, error) {
	return e.analyst().Journeys(ctx, q, window, brief)
}

// JourneyNames lists the journeys in the settings.
func (e *Engine) JourneyNames() core.NamesAnswer { return e.analyst().Names() }

// Budgets answers what is left of error budgets, and when they will be exhausted.
// brief leaves out what a rule does not read.
func (e *Engine) Budgets(ctx context.Context, q query.Budget, window core.Window, brief bool) (objectives.Answer, error) {
	return e.accountant().Budgets(ctx, q, window, brief)
}

// ObjectiveNames lists the objectives of the settings and those recorded.
func (e *Engine) ObjectiveNames(ctx context.Context, window core.Window) (core.NamesAnswer, error) {
	return e.accountant().Names(ctx, window)
}

// FoundObjectives are the objectives of the settings and those recorded.
func (e *Engine) FoundObjectives(ctx context.Context, window core.Window) ([]objectives.Setting, error) {
	return e.accountant().Found(ctx, window)
}

// Changes lists what changed in the systems inside the window.
func (e *Engine) Changes(ctx context.Context, q query.LedgerChanges, window core.Window) (ledger.Answer, error) {
	return e.keeper().Changes(ctx, q, window)
}

// TraceDiff answers what changed between two populations of traces.
func (e *Engine) TraceDiff(ctx context.Context, q query.TraceDiff, window core.Window) (traces.TraceDiffAnswer, error) {
	return e.comparer().TraceDiff(ctx, q, window)
}

// Patterns answers what makes requests needlessly slow.
func (e *Engine) Patterns(ctx context.Context, q query.Patterns, window core.Window) (traces.PatternsAnswer, error) {
	return e.comparer().Patterns(ctx, q, window)
}

// ServiceMap answers which services call which, how often, how fast and how
// well.
func (e *Engine) ServiceMap(ctx context.Context, q query.ServiceMap, window core.Window) (traces.ServiceMapAnswer, error) {
	return e.comparer().ServiceMap(ctx, q, window)
}

// RootCause answers what is to blame for a change.
func (e *Engine) RootCause(ctx context.Context, q query.RootCause, window core.Window) (traces.RootCauseAnswer, error) {
	return e.comparer().RootCause(ctx, q, window)
}

// Services lists the services that sent spans inside the window.
func (e *Engine) Services(ctx context.Context, q query.Services, window core.Window) (core.NamesAnswer, error) {
	return e.comparer().Services(ctx, q, window)
}

// Operations lists the span names of a service inside the window.
func (e *Engine) Operations(ctx context.Context, q query.Operations, window core.Window) (core.NamesAnswer, error) {
	return e.comparer().Operations(ctx, q, window)
}

// Versions lists the versions of a service inside the window.
func (e *Engine) Versions(ctx context.Context, q query.Versions, window core.Window) (core.NamesAnswer, error) {
	return e.comparer().Versions(ctx, q, window)
}

// Verdict answers whether a new version should be rolled out further.
func (e *Engine) Verdict(ctx context.Context, q query.Verdict, window core.Window) (ops.VerdictAnswer, error) {
	return e.advisor().Verdict(ctx, q, window)
}

// Decide is Verdict for engines that act on it: where the counts alone fail the
// canary, it does not wait for traces, which cannot change that.
func (e *Engine) Decide(ctx context.Context, q query.Verdict, window core.Window) (ops.VerdictAnswer, error) {
	return e.advisor().Decide(ctx, q, window)
}

// DecideByCounts is Decide without the trace store: known is the last verdict of
// its traces, or why there is none.
func (e *Engine) DecideByCounts(ctx context.Context, q query.Verdict, window core.Window, known ops.TraceVerdict) (ops.VerdictAnswer, error) {
	return e.advisor().DecideByCounts(ctx, q, window, known)
}

// Rollout answers how fast a new version can be rolled out.
func (e *Engine) Rollout(ctx context.Context, q query.Rollout, window core.Window) (ops.RolloutAnswer, error) {
	return e.advisor().Rollout(ctx, q, window)
}

// Sizing answers what a service needs at the end of the window.
func (e *Engine) Sizing(ctx context.Context, q query.Sizing, window core.Window) (ops.SizingAnswer, error) {
	return e.advisor().Sizing(ctx, q, window)
}

// Impact answers how alerting performed inside the window.
func (e *Engine) Impact(ctx context.Context, q query.Impact, window core.Window) (ops.ImpactAnswer, error) {
	return e.advisor().Impact(ctx, q, window)
}

// Replay answers how a rule would have alerted up to the end of the window.
func (e *Engine) Replay(ctx context.Context, q query.Replay, window core.Window) (replays.Answer, error) {
	return e.replayer().Replay(ctx, q, window)
}

// Facts answers what is known of a service that playbooks go by.
func (e *Engine) Facts(ctx context.Context, service string, window core.Window) (ops.FactsAnswer, error) {
	return e.advisor().Facts(ctx, service, window)
}
