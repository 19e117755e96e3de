package traces

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/ledger"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// MetricCauses are the suspects by metrics alone.
type MetricCauses struct {
	Signal propagation.Signal
	Result propagation.Result
	// Reasons can be checked by a person, for each suspect.
	Reasons [][]string
	// Onset is when the service became abnormal; the begin of the window where no
	// single step is.
	Onset   time.Time
	Begun   bool
	Step    time.Duration   // how finely the onset is known
	Sources []string        // of the dependency graph
	Changes []ledger.Change // of anything, around the onset
}

const (
	// metricPast is how far back metrics are compared, and metricRecent the time
	// just before the window that makes the level.
	metricPast, metricRecent = 24 * time.Hour, time.Hour
	// metricSteps is how finely the window is looked at.
	metricSteps = 60
	// changeReach is how long before and after the onset a change may have to do with
	// the anomaly, and maxChangeReasons how many of a service are reported.
	changeReach, maxChangeReasons = 15 * time.Minute, 5
	// moreRequests is a ratio of requests that is worth a word.
	moreRequests = 1.5
)

// metricCauses traces an anomaly of a service along the calls.
func (e Comparer) metricCauses(ctx context.Context, q query.RootCause, window core.Window, basis *core.Provenance) (*MetricCauses, error) {
	if e.Metrics == nil {
		return nil, core.ErrNoMetrics
	}
	grid := metricGrid(window, e.Now())
	graph, err := e.Signals.CallGraph(ctx, grid, basis)
	if err != nil {
		return nil, err
	}
	if len(graph.Services) == 0 {
		return nil, core.NotFoundErrorf("no metrics of services under well-known names between %s and %s: a service graph (Tempo, Beyla), Istio, Linkerd, or OpenTelemetry's server and client metrics are read", core.FormatTime(grid.Start), core.FormatTime(grid.End))
	}
	if !slices.ContainsFunc(graph.Services, func(s propagation.Service) bool { return s.Name == q.Service }) {
		return nil, core.NotFoundErrorf("service %q has no metrics under well-known names between %s and %s; those that have: %s",
			q.Service, core.FormatTime(grid.Start), core.FormatTime(grid.End), core.List(graphNames(graph)))
	}
	if len(graph.Calls) == 0 {
		basis.AddNotice("No metrics tell which service calls which: only the service itself was looked at.")
	}
	var best *MetricCauses
	for _, signal := range signalsOf(q) {
		c := e.traceDown(graph, q.Service, signal, grid, window)
		if best == nil || c.Result.Deviation > best.Result.Deviation {
			best = c
		}
	}
	best.Sources = graph.Sources
	e.addReasons(ctx, best, graph, grid, window, basis)
	return best, nil
}

// signalsOf are the signals in question: the one that was named, or both, the
// more abnormal of which is explained.
func signalsOf(q query.RootCause) []propagation.Signal {
	if q.Signal != "" && q.Signal != query.AnySignal {
		return []propagation.Signal{propagation.Signal(q.Signal)}
	}
	return []propagation.Signal{propagation.Latency, propagation.Failures}
}

// metricGrid is the window with its past.
func metricGrid(window core.Window, now time.Time) upstream.Range {
	to := window.To
	if to.After(now) {
		to = now
	}
	step := core.StepFor(max(core.MinStep, to.Sub(window.From)/metricSteps))
	return upstream.Range{Start: core.Floor(window.From.Add(-metricPast), step), End: core.Floor(to, step), Step: step}
}

func graphNames(g signals.Graph) (names []string) {
	for _, s := range g.Services {
		names = append(names, s.Name)
	}
	return names
}

// traceDown explains one signal of a service from its onset in the window on.
func (e Comparer) traceDown(graph signals.Graph, service string, signal propagation.Signal, grid upstream.Range, window core.Window) *MetricCauses {
	at := func(t time.Time) int { return max(0, int(t.Sub(grid.Start)/grid.Step)) }
	// A step counts what came in the time up to it.
	q := propagation.Question{Service: service, Signal: signal, Recent: at(window.From.Add(-metricRecent)), From: at(window.From) + 1}
	c := &MetricCauses{Signal: signal, Step: grid.Step}
	if onset, found := propagation.Onset(graph.Services, q); found {
		q.From, c.Begun = onset, true
	}
	c.Onset = grid.Start.Add(time.Duration(q.From-1) * grid.Step)
	c.Result = propagation.Explain(graph.Services, graph.Calls, q)
	return c
}

// addReasons says why each suspect is one, with what its resources did and which
// versions arrived.
func (e Comparer) addReasons(ctx context.Context, c *MetricCauses, graph signals.Graph, grid upstream.Range, window core.Window, basis *core.Provenance) {
	var services []string
	for _, s := range c.Result.Suspects[:min(maxQueried, len(c.Result.Suspects))] {
		services = append(services, s.Service)
	}
	var resources []cause.Signal
	if c.Result.Verdict == propagation.Abnormal {
		before := upstream.Range{Start: window.From.Add(-metricRecent), End: c.Onset}
		resources = e.Signals.ResourceChanges(ctx, services, before, upstream.Range{Start: c.Onset, End: grid.End}, basis)
		c.Changes = e.changesAround(ctx, c.Onset, grid, basis)
	}
	for i := range c.Result.Suspects {
		s := &c.Result.Suspects[i]
		reasons := []string{signalText(c.Signal, s)}
		if len(s.Path) > 1 {
			reasons = append(reasons, fmt.Sprintf("%.0f %% of what %s lost was traced to it, along %s", 100*s.Share, s.Path[0], strings.Join(s.Path, " → ")))
		} else {
			reasons = append(reasons, fmt.Sprintf("%.0f %% of the change is not accounted for by what it calls", 100*s.Share))
		}
		if s.Onset >= 0 {
			reasons = append(reasons, "abnormal since "+core.FormatTime(grid.Start.Add(time.Duration(s.Onset-1)*grid.Step)))
		}
		if s.Requests >= moreRequests {
			reasons = append(reasons, fmt.Sprintf("%.1f times as many requests as before", s.Requests))
		}
		if len(s.NewCalls) > 0 {
			reasons = append(reasons, "calls "+core.List(s.NewCalls)+", which it did not call before")
		}
		for _, change := range changesOf(c.Changes, s.Service) {
			reasons = append(reasons, fmt.Sprintf("at %s: %s", core.FormatTime(change.At), change.Text))
		}
		for _, r := range resources {
			if r.Service == s.Service && r.Worse {
				reasons = append(reasons, r.Text())
			}
		}
		c.Reasons = append(c.Reasons, reasons)
	}
}

// changesAround are the changes shortly before and in the anomaly.
func (e Comparer) changesAround(ctx context.Context, onset time.Time, grid upstream.Range, basis *core.Provenance) []ledger.Change {
	patience, cancel := context.WithTimeout(ctx, core.SideTimeout)
	defer cancel()
	around := core.Window{From: onset.Add(-changeReach), To: onset.Add(changeReach)}
	if around.To.After(grid.End) {
		around.To = grid.End
	}
	found, err := e.Ledger.Changes(patience, query.LedgerChanges{}.WithDefaults(), around)
	if err != nil {
		basis.AddNotice(fmt.Sprintf("What changed is unknown: %v", err))
		return nil
	}
	return found.Changes
}

// changesOf are the changes of a service, the first few.
func changesOf(all []ledger.Change, service string) (own []ledger.Change) {
	for _, c := range all {
		if c.Service != "" && ledger.About(c.Service, service) && len(own) < maxChangeReasons {
			own = append(own, c)
		}
	}
	return own
}

func signalText(signal propagation.Signal, s *propagation.Suspect) string {
	sure := fmt.Sprintf("%.1f standard deviations", s.Deviation)
	if s.Deviation >= maxDeviationShown {
		sure = fmt.Sprintf("more than %d standard deviations", maxDeviationShown)
	}
	if signal == propagation.Failures {
		return fmt.Sprintf("%.2g %% of its requests fail, %.2g %% before (%s)", 100*s.Now, 100*s.Before, sure)
	}
	return fmt.Sprintf("its mean latency is %s, %s before (%s)", duration(s.Now), duration(s.Before), sure)
}

// maxDeviationShown is a deviation beyond which the number says no more.
const maxDeviationShown = 50

func duration(seconds float64) string {
	if math.IsNaN(seconds) {
		return "unknown"
	}
	return trace.FormatDuration(seconds * 1e9)
}
