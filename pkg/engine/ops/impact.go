package ops

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

const (
	// impactPoints bounds the resolution of what happened in a long window: a week
	// has one minute.
	impactPoints = 10_500
	// refractory is the silence after which an alert, or an incident, is another.
	refractory = 5 * time.Minute
	// deploysTimeout is how long to wait for deploys, which traces tell slowly over
	// long windows.
	deploysTimeout = 15 * time.Second
)

// ImpactAnswer is what watching was worth.
type ImpactAnswer struct {
	core.Provenance
	Service  string // empty for every service
	From, To time.Time
	Report   impact.Report
	// Changes are the ranked deploys before the newest incidents, under the index
	// of the incident.
	Changes map[int][]traces.Change
	// DeploysUnknown is why deploys are unknown, so that none could be counted;
	// nil where they are.
	DeploysUnknown error
}

// Impact answers what alerts, warnings and verdicts were worth inside the
// window. Without one of its sources a share would be another, so that is an
// error; only deploys may be missing, and nothing is then said of them.
func (e Advisor) Impact(ctx context.Context, q query.Impact, window core.Window) (ImpactAnswer, error) {
	answer := ImpactAnswer{Service: q.Service}
	if e.Metrics == nil && e.Alerts == nil {
		return answer, core.ErrNoMetrics
	}
	to := window.To
	if to.After(e.Now()) {
		to = e.Now()
	}
	step := core.StepFor(max(to.Sub(window.From)/impactPoints, core.MinStep))
	grid := upstream.Range{Start: core.Floor(window.From, step), End: core.Floor(to, step), Step: step}
	if grid.Points() < 2 {
		return answer, core.UserErrorf("the window is shorter than two steps of %s", step)
	}
	answer.From, answer.To = grid.Start, grid.End
	answer.SetParameter("resolution", step.String())
	h := &recordBuilder{engine: e, query: q, grid: grid, record: impact.Record{From: grid.Start, To: grid.End, Watched: map[string]bool{}}}
	if err := h.collect(ctx); err != nil {
		return answer, err
	}
	answer.Queries, answer.DeploysUnknown = h.basis.Queries, h.deploysUnknown
	answer.AddNotice(h.basis.Notices...)
	if !h.record.EveryWatched && len(h.record.Watched) == 0 {
		answer.AddNotice(`It is unknown when users were affected, so no alert can be counted as false: give an objective, or tag annotations of incidents with "incident" and "service:NAME".`)
	}
	answer.Report = h.record.Judge(impact.Rules{Budget: time.Duration(q.Budget), FailsWithin: time.Duration(q.FailsWithin)})
	answer.AddNotice(answer.Report.NotCounted...)
	if q.Format != query.Alert && (q.View == "" || q.View == query.ImpactIncidents) {
		e.rankChanges(ctx, &answer)
	}
	return answer, nil
}

const (
	// maxExplained bounds the incidents whose deploys are ranked, the newest first,
	// and beforeIncident is how long before one a deploy may be to blame.
	maxExplained   = 3
	beforeIncident = 30 * time.Minute
)

// rankChanges tells which of the deploys before an incident is likely to blame.
// Not knowing takes a column away and no more.
func (e Advisor) rankChanges(ctx context.Context, answer *ImpactAnswer) {
	if e.Metrics == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deploysTimeout)
	defer cancel()
	answer.Changes = map[int][]traces.Change{}
	incidents := answer.Report.Incidents
	for i := len(incidents) - 1; i >= max(0, len(incidents)-maxExplained); i-- {
		one := incidents[i]
		window := core.Window{From: one.Start.Add(-beforeIncident), To: one.Start.Add(beforeIncident)}
		var basis core.Provenance
		ranked, err := e.Comparer.Changes(ctx, one.Service, window, &basis)
		if err != nil {
			answer.AddNotice(fmt.Sprintf("Which deploys may have caused the incidents is unknown: %v", err))
			return
		}
		answer.Changes[i] = slices.DeleteFunc(ranked, func(c traces.Change) bool { return c.At.After(one.Start) })
		answer.Queries = append(answer.Queries, basis.Queries...)
	}
}

// recordBuilder gathers a record from all who know a part of it.
type recordBuilder struct {
	engine Advisor
	query  query.Impact
	grid   upstream.Range
	basis  core.Provenance
	record impact.Record

	deploysUnknown error
}

// collect asks every source. What each says is joined in a fixed order, so that
// equal answers make equal records.
func (h *recordBuilder) collect(ctx context.Context) error {
	queried := h.expressions()
	sets := make([]upstream.SeriesSet, len(queried))
	failures := make([]error, len(queried))
	group, groupContext := parallel.WithContext(ctx)
	if h.engine.Metrics != nil {
		for i, promQL := range queried {
			if promQL != "" {
				group.Go(func() error {
					sets[i], failures[i] = h.engine.Metrics.QueryRange(groupContext, promQL, h.grid)
					return nil
				})
			}
		}
	}
	var deploys deploys.Answer
	group.Go(func() error {
		patience, cancel := context.WithTimeout(groupContext, deploysTimeout)
		defer cancel()
		deploys, h.deploysUnknown = h.engine.Deploys.Find(patience, query.Deploys{Service: h.query.Service}, core.Window{From: h.grid.Start, To: h.grid.End})
		return nil
	})
	_ = group.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, promQL := range queried {
		if promQL == "" || h.engine.Metrics == nil {
			continue
		}
		h.basis.AddQuery("%s", promQL)
		h.basis.AddNotice(sets[i].Warnings...)
		if failures[i] != nil {
			return failures[i]
		}
	}
	h.basis.AddNotice(deploys.Notices...)
	if h.deploysUnknown != nil {
		h.basis.AddNotice(fmt.Sprintf("Deploys, and the rollbacks that they show, are unknown: %v", h.deploysUnknown))
	}
	for _, d := range deploys.Deploys {
		if d.Arrived && h.concerns(d.Service) {
			h.record.Deploys = append(h.record.Deploys, impact.Deploy{Service: d.Service, Version: d.Version, At: d.At})
		}
	}
	h.objective(sets[queryObjective].Series)
	if err := h.notes(ctx); err != nil {
		return err
	}
	h.alerts(sets[queryAlerts].Series)
	h.rollouts(sets[queryAborts].Series, sets[queryCanaries].Series, sets[queryFails].Series, sets[queryRollouts].Series)
	h.warnings(sets[queryWarnings].Series)
	h.scaled(sets[queryDemand].Series, sets[queryReplicas].Series)
	return nil
}

// concerns tells whether a service is asked about.
func (h *recordBuilder) concerns(service string) bool {
	return h.query.Service == "" || service == h.query.Service
}

// objective makes incidents of the stretches in which the objective's
// expression is above 0. A service that has the expression is watched.
func (h *recordBuilder) objective(all []series.Series) {
	for _, one := range all {
		service := h.serviceOf(one.Labels)
		if service == "" || !h.concerns(service) || one.Observed() == 0 {
			continue
		}
		h.record.Watched[service] = true
		for _, s := range stretches(one, func(value float64) bool { return value > 0 }) {
			h.record.Incidents = append(h.record.Incidents, impact.Incident{
				Service: service, Start: s.start, End: s.end, Ongoing: s.ongoing, Source: impact.Objective})
		}
	}
}

// serviceOf is the service that labels name; where one service is asked about,
// an expression without such a label is about that.
func (h *recordBuilder) serviceOf(labels series.Labels) string {
	if service := ServiceOf(labels); service != "" {
		return service
	}
	// A plain job may be a way to scrape many services. It names one where it is
	// all that tells series apart.
	if len(labels) == 1 && labels["job"] != "" {
		return labels["job"]
	}
	return h.query.Service
}

// ServiceOf is the service that labels name; empty for none.
func ServiceOf(labels series.Labels) string {
	return cmp.Or(wellknown.ServiceOf(labels), namespacedJob(labels))
}

// namespacedJob is the service of a target that OpenTelemetry reports: its job is
// "namespace/name".
func namespacedJob(labels series.Labels) string {
	_, service, _ := strings.Cut(labels["job"], "/")
	return service
}

// notes are what people and automation wrote down in Grafana: incidents,
// feedback and acts.
func (h *recordBuilder) notes(ctx context.Context) error {
	incidents, errIncidents := written(ctx, h, h.engine.Incidents)
	feedback, errFeedback := written(ctx, h, h.engine.Feedback)
	acts, errActs := written(ctx, h, h.engine.Acts)
	alerts, errAlerts := written(ctx, h, h.engine.Alerts)
	if err := cmp.Or(errIncidents, errFeedback, errActs, errAlerts); err != nil {
		return err
	}
	for _, i := range incidents {
		h.record.EveryWatched = true
		if i.Service == "" || !h.concerns(i.Service) {
			continue
		}
		one := impact.Incident{Service: i.Service, Start: i.Start, End: i.End, Source: impact.Reported}
		if i.End.IsZero() {
			one.End, one.Source = i.Start, impact.Confirmed // when it ended is unknown
		}
		h.record.Incidents = append(h.record.Incidents, one)
	}
	for _, f := range feedback {
		if f.Service == "" || h.concerns(f.Service) {
			h.record.Said = append(h.record.Said, impact.Said{Service: f.Service, At: f.At, Real: f.Real})
		}
	}
	for _, a := range acts {
		if a.Service != "" {
			h.record.Acts = append(h.record.Acts, impact.Act{Service: a.Service, At: a.At})
		}
	}
	for _, a := range alerts {
		if h.counts(a.Name) && (a.Service == "" || h.concerns(a.Service)) {
			e := impact.Episode{Alert: a.Name, Service: a.Service, Start: a.Start, End: a.End}
			if a.End.IsZero() {
				e.End, e.Firing = h.grid.End, true // nobody said that it was resolved
			}
			h.record.Episodes = append(h.record.Episodes, e)
		}
	}
	return nil
}

// written is what was written down of a kind within the window.
func written[T any](ctx context.Context, h *recordBuilder, source annotation.Source[T]) ([]T, error) {
	if source == nil {
		return nil, nil
	}
	all, warnings, err := source.Read(ctx, h.grid.Start, h.grid.End)
	h.basis.AddNotice(warnings...)
	return all, err
}

// stretch is a time in which something held.
type stretch struct {
	start, end time.Time
	ongoing    bool
}

// stretches are the times in which the values of a series hold, up to the first
// that does not. Silences shorter than the refractory time are passed over.
func stretches(s series.Series, holds func(float64) bool) (found []stretch) {
	for i, value := range s.Values {
		if math.IsNaN(value) || !holds(value) {
			continue
		}
		at, last := s.Time(i), i == s.Len()-1
		end := at
		if !last {
			end = at.Add(s.Step)
		}
		if n := len(found); n > 0 && at.Sub(found[n-1].end) < refractory {
			found[n-1].end, found[n-1].ongoing = end, last
			continue
		}
		found = append(found, stretch{at, end, last})
	}
	return found
}

// byServices is PromQL that keeps the labels which name a service, the job of
// OpenTelemetry's targets among them.
func byServices(aggregation, expression string, more ...string) string {
	return fmt.Sprintf("%s by (%s) (%s)", aggregation, strings.Join(slices.Concat(more, wellknown.ServiceLabels, []string{"job"}), ", "), expression)
}
