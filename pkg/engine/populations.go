package engine

import (
	"context"
	"fmt"
	"time"

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

// comparison is what a trace diff compares, resolved to two filters.
type comparison struct {
	baseline, candidate upstream.TraceFilter
	// byVersion says that both sides are versions of the service, so that a
	// trace with both belongs to neither.
	byVersion bool
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
	notices  []string
}

// window reaches over both sides, or over the candidate's where there is
// nothing to compare.
func (c comparison) window(compared bool) Window {
	window := Window{From: c.candidate.Start, To: c.candidate.End}
	if compared && c.baseline.Start.Before(window.From) {
		window.From = c.baseline.Start
	}
	if compared && c.baseline.End.After(window.To) {
		window.To = c.baseline.End
	}
	return window
}

// settled is the part of a window whose traces are finished, on the grid.
func (e *Engine) settled(window Window) (Window, error) {
	asked := window
	if finished := e.Now().Add(-settling); window.To.After(finished) {
		window.To = finished
	}
	window.From, window.To = floor(window.From, traceGrid), floor(window.To, traceGrid)
	if !window.From.Before(window.To) {
		return window, askersFault("the window %s to %s holds no finished traces yet; choose one that begins earlier", clock(asked.From), clock(asked.To))
	}
	return window, nil
}

// populations resolves the question's defaults: the newest deploy inside the
// window against the version before it; without one, the second half of the
// window against the first.
func (e *Engine) populations(ctx context.Context, q query.TraceDiff, window Window) (comparison, error) {
	finished, err := e.settled(window)
	if err != nil {
		return comparison{}, err
	}
	c := comparison{
		baseline:  upstream.TraceFilter{Service: q.Service, Operation: q.Operation, Version: q.Baseline.Version, TraceQL: q.Baseline.TraceQL},
		candidate: upstream.TraceFilter{Service: q.Service, Operation: q.Operation, Version: q.Candidate.Version, TraceQL: q.Candidate.TraceQL},
	}
	candidateTimed, err := bound(&c.candidate, q.Candidate, finished.From, finished.To)
	if err != nil {
		return c, askersFault("candidate: %v", err)
	}
	baselineTimed, err := bound(&c.baseline, q.Baseline, finished.From, finished.To)
	if err != nil {
		return c, askersFault("baseline: %v", err)
	}
	if ago := time.Duration(q.Baseline.Ago); ago > 0 {
		if ago < c.candidate.End.Sub(c.candidate.Start) {
			return c, askersFault("baseline: the same time %s earlier overlaps with the candidate, which is %s long; choose a longer time", q.Baseline.Ago, query.Duration(c.candidate.End.Sub(c.candidate.Start)))
		}
		c.baseline.Start, c.baseline.End, baselineTimed = c.candidate.Start.Add(-ago), c.candidate.End.Add(-ago), true
		c.preceded = fmt.Sprintf("the same time %s earlier, since %s", q.Baseline.Ago, clock(c.baseline.Start))
	}
	chosen := baselineTimed || candidateTimed || q.Baseline.TraceQL != "" || q.Candidate.TraceQL != ""
	if !chosen && (q.Baseline.Version == "" || q.Candidate.Version == "") {
		return c, e.resolveVersions(ctx, &c, window, finished.To)
	}
	c.byVersion = c.baseline.Version != "" && c.candidate.Version != "" && c.baseline.Version != c.candidate.Version
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
		return set, fmt.Errorf("the population begins at %s and ends at %s: it holds no finished traces", clock(start), clock(end))
	}
	filter.Start, filter.End = start, end
	return set, nil
}

// resolveVersions fills in the versions that the question left open.
func (e *Engine) resolveVersions(ctx context.Context, c *comparison, window Window, horizon time.Time) error {
	deploys, err := e.Deploys(ctx, query.Deploys{Service: c.candidate.Service}, window)
	if err != nil {
		return err
	}
	deploy, found := chooseDeploy(deploys.Deploys, c.baseline.Version, c.candidate.Version)
	c.notices = append(c.notices, deploys.unknown...)
	if !found {
		if c.baseline.Version != "" || c.candidate.Version != "" {
			return askersFault("no second version of %s to compare %s with between %s and %s; widen the time range, or name both versions",
				c.candidate.Service, c.baseline.Version+c.candidate.Version, clock(window.From), clock(horizon))
		}
		middle := c.baseline.Start.Add(horizon.Sub(c.baseline.Start) / 2).Truncate(time.Second)
		c.baseline.End, c.candidate.Start = middle, middle
		none := "No deploy of %s arrived in this window"
		if len(deploys.unknown) > 0 {
			// What was not counted may hold one: a server that was late for a
			// moment makes no deploy undone.
			none = "No deploy of %s is known in this window, of which a part could not be looked at"
		}
		c.notices = append(c.notices, fmt.Sprintf(none+": the time after %s is compared with the time before it.", c.candidate.Service, clock(middle)))
		return nil
	}
	c.arrived = true
	c.notices = append(c.notices, deploy.told()...)
	c.byVersion = deploy.selectable()
	c.before(deploy, deploys)
	if !c.byVersion {
		if c.baseline.Version = ""; !deploy.InTraces {
			c.candidate.Version = ""
		}
		c.candidate.Start = deploy.At
		return nil
	}
	c.baseline.Version, c.candidate.Version = deploy.Previous, deploy.Version
	// A version that has just arrived may have no finished traces yet; its
	// version alone selects them then.
	if start := deploy.began(); start.After(c.candidate.Start) && start.Before(horizon.Add(-settling)) {
		c.candidate.Start = start
	}
	return nil
}

// chooseDeploy is the newest arrival that fits the versions that are given.
func chooseDeploy(deploys []Deploy, baseline, candidate string) (Deploy, bool) {
	for i := len(deploys) - 1; i >= 0; i-- {
		deploy := deploys[i]
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
	return Deploy{}, false
}
