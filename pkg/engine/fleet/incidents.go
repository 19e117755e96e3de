// Package fleet answers what concerns all services at once.
package fleet

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Watcher looks at all services.
type Watcher struct {
	core.Sources
	Signals signals.Finder
	Deploys deploys.Detector
}

// IncidentsAnswer is the incidents of a window.
type IncidentsAnswer struct {
	core.Provenance
	// At is the time of the first step, and Step their length.
	At   time.Time
	Step time.Duration
	// Services is how many were looked at.
	Services  int
	Incidents []incident.Incident
	Ongoing   bool // resolved ones are left out
}

// Time is the begin of what a step counts.
func (a IncidentsAnswer) Time(step int) time.Time {
	return a.At.Add(time.Duration(step-1) * a.Step)
}

const (
	// incidentSteps bounds the resolution of a long window.
	incidentSteps = 1500
	// learnSteps are the steps before the time in which incidents begin that teach
	// what is normal.
	learnSteps = 150
	// scrapesInStep is how many samples a step must hold.
	scrapesInStep = 2
	// maxNamed is how many services a notice names.
	maxNamed = 10
)

// Incidents answers what is abnormal across all services inside the window,
// grouped by cause.
func (e Watcher) Incidents(ctx context.Context, q query.Incidents, window core.Window) (IncidentsAnswer, error) {
	answer := IncidentsAnswer{Ongoing: q.Ongoing}
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	only, err := regexp.Compile(q.Services)
	if err != nil {
		return answer, core.UserErrorf("services is no regular expression: %v", err)
	}
	grid, err := e.incidentGrid(ctx, q, window)
	if err != nil {
		return answer, err
	}
	graph, err := e.Signals.Fleet(ctx, grid, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	answer.At, answer.Step, answer.Services = grid.Start, grid.Step, len(graph.Services)
	answer.SetParameter("services", len(graph.Services))
	answer.SetParameter("queries", fmt.Sprintf("%d of at most %d", len(answer.Queries), signals.MaxFleetQueries))
	answer.SetParameter("resolution", grid.Step.String())
	if len(graph.Services) == 0 {
		return answer, core.NotFoundErrorf("no metrics of services under well-known names between %s and %s: a service graph (Tempo, Beyla), Istio, Linkerd, or OpenTelemetry's server and client metrics are read", core.FormatTime(grid.Start), core.FormatTime(grid.End))
	}
	if len(graph.Calls) == 0 {
		answer.AddNotice("No metrics tell which service calls which: each abnormal service is an incident of its own, unless several go wrong at once.")
	}
	record := incident.Record{Calls: graph.Calls, From: max(0, int(window.From.Sub(grid.Start)/grid.Step))}
	for _, s := range graph.Services {
		sent := graph.Sent[s.Name]
		record.Services = append(record.Services, incident.Service{
			Name: s.Name, Peer: graph.Peers[s.Name], Requests: s.Requests, Latency: s.Latency, Failed: s.Failed, Sent: sent.Requests, SentFailed: sent.Failed,
		})
	}
	var found incident.Result
	if err := core.Compute(ctx, func() { found = incident.Find(record) }); err != nil {
		return answer, err
	}
	if len(found.Unjudged) > 0 {
		answer.AddRemark(fmt.Sprintf("%d of %d services have too little data to judge: %s.", len(found.Unjudged), len(graph.Services), core.List(found.Unjudged[:min(maxNamed, len(found.Unjudged))])))
	}
	// What was deployed is looked up only once something is wrong.
	if len(found.Incidents) > 0 {
		record.Changes = e.changes(ctx, grid, found.Incidents, &answer.Provenance)
		if len(record.Changes) > 0 {
			if err := core.Compute(ctx, func() { found = incident.Find(record) }); err != nil {
				return answer, err
			}
		}
	}
	for _, one := range found.Incidents {
		if q.Ongoing && one.State == incident.Resolved {
			continue
		}
		if slices.ContainsFunc(one.Members, func(m incident.Member) bool { return only.MatchString(m.Service) }) || only.MatchString(one.Deepest) {
			answer.Incidents = append(answer.Incidents, one)
		}
	}
	return answer, nil
}

// incidentGrid is the window with the time in which an incident may have begun and
// the time that teaches what is normal, from a full hour on.
func (e Watcher) incidentGrid(ctx context.Context, q query.Incidents, window core.Window) (upstream.Range, error) {
	to := e.Present(window)
	span := max(to.Sub(window.From), time.Duration(q.Lookback))
	least := max(core.MinStep, span/incidentSteps)
	// What teaches may have been scraped less often than what is scraped now.
	learned := to.Add(-span - learnSteps*core.MinStep)
	for _, around := range []core.Window{window, {From: learned, To: learned}} {
		metric, err := e.Signals.FleetMetric(ctx, around)
		if err != nil {
			return upstream.Range{}, err
		}
		if metric == "" {
			continue
		}
		scrape, err := e.ScrapeInterval(ctx, metric, e.Present(around))
		if err != nil {
			return upstream.Range{}, err
		}
		least = max(least, scrapesInStep*scrape)
	}
	step := core.StepFor(least)
	start := to.Add(-span - learnSteps*step)
	return upstream.Range{Start: core.Floor(core.Floor(start, time.Hour), step), End: core.Floor(to, step), Step: step}, nil
}

// changes are the deploys shortly before and during the incidents.
func (e Watcher) changes(ctx context.Context, grid upstream.Range, found []incident.Incident, basis *core.Provenance) (changes []incident.Change) {
	first := found[0].Start
	for _, one := range found {
		first = min(first, one.Start)
	}
	patience, cancel := context.WithTimeout(ctx, core.SideTimeout)
	defer cancel()
	around := core.Window{From: grid.Start.Add(time.Duration(first)*grid.Step - time.Hour), To: grid.End}
	answer, err := e.Deploys.Find(patience, query.Deploys{}, around)
	if err != nil {
		basis.AddNotice(fmt.Sprintf("Which services were deployed is unknown: %v", err))
		return nil
	}
	basis.Queries = append(basis.Queries, answer.Queries...)
	for _, d := range answer.Deploys {
		if !d.Arrived {
			continue
		}
		text := fmt.Sprintf("version %s of %s arrived at %s", d.Version, d.Service, core.FormatTime(d.Instant()))
		if d.Previous != "" {
			text += ", after " + d.Previous
		}
		step := int(d.Instant().Sub(grid.Start)/grid.Step) + 1
		changes = append(changes, incident.Change{Service: d.Service, Step: step, Text: text})
	}
	return changes
}
