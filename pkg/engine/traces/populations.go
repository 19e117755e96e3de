package traces

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// settling is how long after its end a trace may still be missing spans:
	// exporters send in batches, each service on its own clock.
	settling = 5 * time.Second
	// traceGrid is what windows over traces are aligned to: the panels of a
	// dashboard then ask the store for the same traces, which is done once.
	traceGrid = 5 * time.Second
	// lookBack bounds how long before a deploy the baseline begins: near enough
	// to be the same time of day.
	lookBack = time.Hour
)

// Comparison is what a trace diff compares, resolved to two filters.
type Comparison struct {
	Baseline, Candidate upstream.TraceFilter
	// ByVersion says that both sides are versions of the service, so that a
	// trace with both belongs to neither.
	ByVersion bool
	// arrived says that the versions were seen in the store, and not named by
	// the asker: a side without traces is too fresh, and no mistake.
	arrived bool
	// proportional says that rare kinds of requests must not be overrepresented.
	proportional bool
	// wider is from when on the baseline may be looked for where its own time
	// has too few traces; zero for no more.
	wider time.Time
	// preceded says in words what the baseline is, where a deploy told; empty
	// elsewhere.
	preceded string
	Notices  []string
}

// window reaches over both sides, or over the candidate's where there is
// nothing to compare.
func (c Comparison) window(compared bool) core.Window {
	window := core.Window{From: c.Candidate.Start, To: c.Candidate.End}
	if compared && c.Baseline.Start.Before(window.From) {
		window.From = c.Baseline.Start
	}
	if compared && c.Baseline.End.After(window.To) {
		window.To = c.Baseline.End
	}
	return window
}

// settled is the part of a window whose traces are finished, on the grid.
func (e Comparer) settled(window core.Window) (core.Window, error) {
	queried := window
	if finished := e.Now().Add(-settling); window.To.After(finished) {
		window.To = finished
	}
	window.From, window.To = core.Floor(window.From, traceGrid), core.Floor(window.To, traceGrid)
	if !window.From.Before(window.To) {
		return window, core.UserErrorf("the window %s to %s holds no finished traces yet; choose one that begins earlier", core.FormatTime(queried.From), core.FormatTime(queried.To))
	}
	return window, nil
}

// Populations resolves the question's defaults: the newest deploy inside the
// window against the version before it; without one, the second half of the
// window against the first.
func (e Comparer) Populations(ctx context.Context, q query.TraceDiff, window core.Window) (Comparison, error) {
	finished, err := e.settled(window)
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{
		Baseline:  upstream.TraceFilter{Service: q.Service, Operation: q.Operation, Version: q.Baseline.Version, TraceQL: q.Baseline.TraceQL},
		Candidate: upstream.TraceFilter{Service: q.Service, Operation: q.Operation, Version: q.Candidate.Version, TraceQL: q.Candidate.TraceQL},
	}
	candidateTimed, err := bound(&c.Candidate, q.Candidate, finished.From, finished.To)
	if err != nil {
		return c, core.UserErrorf("candidate: %v", err)
	}
	baselineTimed, err := bound(&c.Baseline, q.Baseline, finished.From, finished.To)
	if err != nil {
		return c, core.UserErrorf("baseline: %v", err)
	}
	if ago := time.Duration(q.Baseline.Ago); ago > 0 {
		if ago < c.Candidate.End.Sub(c.Candidate.Start) {
			return c, core.UserErrorf("baseline: the same time %s earlier overlaps with the candidate, which is %s long; choose a longer time", q.Baseline.Ago, query.Duration(c.Candidate.End.Sub(c.Candidate.Start)))
		}
		c.Baseline.Start, c.Baseline.End, baselineTimed = c.Candidate.Start.Add(-ago), c.Candidate.End.Add(-ago), true
		c.preceded = fmt.Sprintf("the same time %s earlier, since %s", q.Baseline.Ago, core.FormatTime(c.Baseline.Start))
	}
	chosen := baselineTimed || candidateTimed || q.Baseline.TraceQL != "" || q.Candidate.TraceQL != ""
	if !chosen && (q.Baseline.Version == "" || q.Candidate.Version == "") {
		return c, e.resolveVersions(ctx, &c, window, finished.To)
	}
	c.ByVersion = c.Baseline.Version != "" && c.Candidate.Version != "" && c.Baseline.Version != c.Candidate.Version
	return c, nil
}

// bound sets the times of one side: those of the question, or the whole
// window.
func bound(filter *upstream.TraceFilter, population query.Population, from, horizon time.Time) (bool, error) {
	start, end, set, err := population.Bounds(from, horizon)
	if err != nil {
		return false, err
	}
	if end.After(horizon) {
		end = horizon
	}
	if !start.Before(end) {
		return set, fmt.Errorf("the population begins at %s and ends at %s: it holds no finished traces", core.FormatTime(start), core.FormatTime(end))
	}
	filter.Start, filter.End = start, end
	return set, nil
}

// resolveVersions fills in the versions that the question left open.
func (e Comparer) resolveVersions(ctx context.Context, c *Comparison, window core.Window, horizon time.Time) error {
	deploys, err := e.Deploys.Find(ctx, query.Deploys{Service: c.Candidate.Service}, window)
	if err != nil {
		return err
	}
	deploy, found := chooseDeploy(deploys.Deploys, c.Baseline.Version, c.Candidate.Version)
	c.Notices = append(c.Notices, deploys.Unavailable...)
	if !found {
		if c.Baseline.Version != "" || c.Candidate.Version != "" {
			return core.UserErrorf("no second version of %s to compare %s with between %s and %s; widen the time range, or name both versions",
				c.Candidate.Service, c.Baseline.Version+c.Candidate.Version, core.FormatTime(window.From), core.FormatTime(horizon))
		}
		middle := c.Baseline.Start.Add(horizon.Sub(c.Baseline.Start) / 2).Truncate(time.Second)
		c.Baseline.End, c.Candidate.Start = middle, middle
		none := "No deploy of %s arrived in this window"
		if len(deploys.Unavailable) > 0 {
			// What was not counted may hold one: a server that was late for a
			// moment makes no deploy undone.
			none = "No deploy of %s is known in this window, of which a part could not be looked at"
		}
		c.Notices = append(c.Notices, fmt.Sprintf(none+": the time after %s is compared with the time before it.", c.Candidate.Service, core.FormatTime(middle)))
		return nil
	}
	c.arrived = true
	c.Notices = append(c.Notices, deploy.Notices()...)
	c.ByVersion = deploy.Selectable()
	c.before(deploy, deploys)
	if !c.ByVersion {
		if c.Baseline.Version = ""; !deploy.InTraces {
			c.Candidate.Version = ""
		}
		c.Candidate.Start = deploy.At
		return nil
	}
	c.Baseline.Version, c.Candidate.Version = deploy.Previous, deploy.Version
	// A version that has just arrived may have no finished traces yet; its
	// version alone selects them then.
	if start := deploy.Start(); start.After(c.Candidate.Start) && start.Before(horizon.Add(-settling)) {
		c.Candidate.Start = start
	}
	return nil
}

// chooseDeploy is the newest arrival that fits the versions that are given.
func chooseDeploy(known []deploys.Deploy, baseline, candidate string) (deploys.Deploy, bool) {
	for i := len(known) - 1; i >= 0; i-- {
		deploy := known[i]
		if deploy.Previous == "" && (!deploy.Arrived || baseline != "") || (candidate == "" && baseline == "" && !deploy.Arrived) {
			continue
		}
		if candidate != "" && deploy.Version != candidate {
			continue
		}
		if baseline != "" && deploy.Previous != baseline {
			if candidate == "" && deploy.Version == baseline {
				continue
			}
			deploy.Previous = baseline
		}
		return deploy, true
	}
	return deploys.Deploy{}, false
}
