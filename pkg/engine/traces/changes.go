package traces

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/changes"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Change is a deploy with the evidence against it.
type Change struct {
	changes.Suspect
	Previous, Version string
	At                time.Time
}

const (
	// maxChanges bounds the deploys that are ranked, the newest first.
	maxChanges = 20
	// changeLead and changeTail are how long before the first and after the last
	// deploy is looked at.
	changeLead, changeTail = 20 * time.Minute, 40 * time.Minute
	// maxChangeSteps bounds the resolution.
	maxChangeSteps = 720
	// changeBlamed is how many standard deviations worse than chance a deploy is
	// that is to blame, whichever of several.
	changeBlamed = 4
)

// Changes ranks the deploys of a window by how likely each made the service, or
// what it calls, worse.
func (e Comparer) Changes(ctx context.Context, service string, window core.Window, basis *core.Provenance) ([]Change, error) {
	if e.Metrics == nil {
		return nil, core.ErrNoMetrics
	}
	found, err := e.Deploys.Find(ctx, query.Deploys{}, window)
	if err != nil {
		return nil, err
	}
	arrived := newestPerService(found.Deploys)
	if len(arrived) == 0 {
		return nil, nil
	}
	grid, err := e.changeGrid(arrived, window)
	if err != nil {
		return nil, err
	}
	graph, err := e.Signals.CallGraph(ctx, grid, basis)
	if err != nil {
		return nil, err
	}
	if downstream := reached(graph, service); len(downstream) > 1 {
		all := len(arrived)
		arrived = slices.DeleteFunc(arrived, func(d deploys.Deploy) bool { return !downstream[d.Service] })
		if left := all - len(arrived); left > 0 {
			basis.AddNotice(fmt.Sprintf("%d deploys of services that %s does not call are left out.", left, service))
		}
	}
	c, err := e.changeCase(ctx, arrived, graph, grid, basis)
	if err != nil {
		return nil, err
	}
	var ranked []Change
	for _, s := range changes.Rank(c) {
		d := arrived[slices.IndexFunc(arrived, func(d deploys.Deploy) bool { return d.Service == s.Service })]
		ranked = append(ranked, Change{s, d.Previous, d.Version, d.Start()})
	}
	return ranked, nil
}

// newestPerService are the deploys that replaced a version, the newest of each
// service.
func newestPerService(all []deploys.Deploy) (arrived []deploys.Deploy) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b deploys.Deploy) int {
		return cmp.Or(b.Start().Compare(a.Start()), cmp.Compare(a.Service, b.Service))
	})
	for _, d := range all {
		known := slices.ContainsFunc(arrived, func(a deploys.Deploy) bool { return a.Service == d.Service })
		if d.Arrived && d.Version != "" && !known && len(arrived) < maxChanges {
			arrived = append(arrived, d)
		}
	}
	return arrived
}

func (e Comparer) changeGrid(arrived []deploys.Deploy, window core.Window) (upstream.Range, error) {
	end := arrived[0].Start().Add(changeTail)
	for _, latest := range []time.Time{window.To, e.Now()} {
		if latest.Before(end) {
			end = latest
		}
	}
	start := arrived[len(arrived)-1].Start().Add(-changeLead)
	step := core.StepFor(max(time.Minute, end.Sub(start)/maxChangeSteps))
	grid := upstream.Range{Start: core.Floor(start, step), End: core.Floor(end, step), Step: step}
	if !grid.Start.Before(grid.End) {
		return grid, core.UserErrorf("the deploys are too fresh to compare anything")
	}
	return grid, nil
}

// reached are a service and all that it calls, directly or not.
func reached(graph signals.Graph, service string) map[string]bool {
	all := map[string]bool{service: true}
	for grown := true; grown; {
		grown = false
		for _, c := range graph.Calls {
			if all[c.Caller] && !all[c.Callee] {
				all[c.Callee], grown = true, true
			}
		}
	}
	return all
}

// maxControls bounds the services without a deploy that are looked at.
const maxControls = 10

// changeCase fetches the flows of those that were released, and of some that were
// not.
func (e Comparer) changeCase(ctx context.Context, arrived []deploys.Deploy, graph signals.Graph, grid upstream.Range, basis *core.Provenance) (c changes.Case, err error) {
	versions := map[string]string{}
	var services []string
	for _, d := range arrived {
		versions[d.Service] = d.Version
		services = append(services, d.Service)
		c.Releases = append(c.Releases, changes.Release{Service: d.Service, Minute: max(0, int(d.Start().Sub(grid.Start)/grid.Step))})
	}
	if len(services) == 0 {
		return c, nil
	}
	queried := slices.Clone(services)
	for _, s := range graph.Services {
		if versions[s.Name] == "" && len(queried) < len(services)+maxControls {
			queried = append(queried, s.Name)
		}
	}
	pods, err := e.Signals.PodFlows(ctx, queried, grid, basis)
	if err != nil {
		return c, err
	}
	calls, err := e.Signals.CallFlows(ctx, queried, grid, basis)
	if err != nil {
		return c, err
	}
	for _, f := range pods {
		c.Pods = append(c.Pods, changes.Pod{Service: f.Service, New: f.Version == versions[f.Service], Flow: flowInMilliseconds(f)})
	}
	for _, f := range calls {
		c.Edges = append(c.Edges, changes.Edge{From: f.Caller, To: f.Callee, Flow: flowInMilliseconds(f)})
	}
	return c, nil
}

func flowInMilliseconds(f signals.Flow) changes.Flow {
	flow := changes.Flow{Requests: f.Requests, Errors: f.Failed, Latency: make([]float64, len(f.Durations))}
	for i, seconds := range f.Durations {
		flow.Latency[i] = 1000 * seconds
	}
	return flow
}

// byChanges answers a root cause by ranking deploys.
func (e Comparer) byChanges(ctx context.Context, q query.RootCause, window core.Window, answer *RootCauseAnswer) error {
	ranked, err := e.Changes(ctx, q.Service, window, &answer.Provenance)
	if err != nil {
		return err
	}
	answer.Changes = append([]Change{}, ranked...)
	answer.Start, answer.End = window.From, window.To
	answer.Result.Verdict, answer.Result.Reason = diff.Insufficient, "No service was deployed in this window."
	if len(ranked) == 0 {
		return nil
	}
	first := ranked[0]
	answer.Start, answer.CandidateVersion, answer.BaselineVersion = first.At, first.Version, first.Previous
	judged := slices.ContainsFunc(ranked, func(c Change) bool { return c.Judged })
	switch {
	case first.Score >= changeBlamed:
		answer.Result.Verdict, answer.Result.Reason = diff.Regressed, fmt.Sprintf("%s %s is to blame: %s.", first.Service, first.Version, first.Why())
	case judged:
		answer.Result.Verdict = diff.NoChange
		answer.Result.Reason = fmt.Sprintf("None of %d deploys is worse than chance and pods explain; first is %s %s: %s.", len(ranked), first.Service, first.Version, first.Why())
	default:
		answer.Result.Reason = "No metric tells the versions of the deployed services apart: span metrics or OpenTelemetry's server metrics with the label service_version are needed."
	}
	return nil
}

// Why says for people what speaks against a deploy.
func (c Change) Why() string {
	if !c.Judged {
		return "no metric tells its versions apart"
	}
	how := "against the time before, less what callees and other services account for"
	if c.Controlled {
		how = "new pods against old ones in the same minutes"
	}
	what := fmt.Sprintf("%+.2g points of errors", 100*c.Errors)
	if math.Abs(c.Slower-1) >= 0.005 {
		what += fmt.Sprintf(", latency × %.2f", c.Slower)
	}
	return fmt.Sprintf("%s, %.1f standard deviations (%s)", what, c.Score, how)
}
