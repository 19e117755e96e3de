package engine

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// samples are the traces of a question: of two sides, or of one.
type samples struct {
	comparison
	compared                bool // there is a baseline
	before, after           []trace.Trace
	beforeQuery, afterQuery string // to see such traces in Explore
	truncated               bool   // the candidate has more traces than the sample
	truncatedBefore         bool   // the baseline has
}

// subject is a question about traces that may compare two populations.
type subject struct {
	service, operation  string
	baseline, candidate query.Population
	compare             query.Compare
	maxTraces           int
	proportional        bool // kinds of requests stay as frequent as they are
}

// perEndpoint is how many traces of each kind of request a sample should hold:
// what a judgement needs.
const perEndpoint = 20

// samplesOf fetches the traces that a question is about: both sides where it
// names them or a deploy arrived in the window, else the whole window.
func (e *Engine) samplesOf(ctx context.Context, q subject, window Window, basis *Basis) (samples, error) {
	c, compared, err := e.sidesOf(ctx, q, window)
	if err != nil {
		return samples{}, err
	}
	c.proportional = q.proportional
	return e.fetch(ctx, c, compared, q.maxTraces, basis)
}

// fetch searches the traces of the candidate and, where there is a comparison,
// of the baseline. It keeps those that belong to their side alone.
func (e *Engine) fetch(ctx context.Context, c comparison, compared bool, limit int, basis *Basis) (samples, error) {
	basis.notice(c.notices...)
	if e.Limits.MaxTraces > 0 {
		limit = min(limit, e.Limits.MaxTraces)
	}
	c.baseline.Limit, c.candidate.Limit = limit, limit
	if !c.proportional {
		c.baseline.PerEndpoint, c.candidate.PerEndpoint = perEndpoint, perEndpoint
	}
	var baseline, candidate upstream.TraceSet
	group, searchContext := errgroup.WithContext(ctx)
	if compared {
		group.Go(func() (err error) { baseline, err = e.search(searchContext, c.baseline); return err })
	}
	group.Go(func() (err error) { candidate, err = e.search(searchContext, c.candidate); return err })
	err := group.Wait()
	if err != nil {
		return samples{}, err
	}
	if compared && len(baseline.Traces) < enoughTraces && c.wider.Before(c.baseline.Start) && !c.wider.IsZero() {
		c.baseline.Start = c.wider
		if baseline, err = e.search(ctx, c.baseline); err != nil {
			return samples{}, err
		}
	}
	if e.isLate(c, compared, candidate) {
		if before, now, found := e.throughExemplars(ctx, &c, candidate, basis); found {
			baseline, candidate = before, now
		}
	}
	if compared && len(baseline.Traces) == 0 && !c.arrived {
		if err := e.explainEmpty(ctx, c.baseline, c.window(compared)); err != nil {
			return samples{}, err
		}
	}
	if len(candidate.Traces) == 0 {
		if !c.arrived {
			if err := e.explainEmpty(ctx, c.candidate, c.window(compared)); err != nil {
				return samples{}, err
			}
		}
		basis.notice(fmt.Sprintf("No traces between %s and %s.", clock(c.candidate.Start), clock(c.candidate.End)))
	}
	s := samples{comparison: c, compared: compared, beforeQuery: baseline.Filter, afterQuery: candidate.Filter, truncated: candidate.Truncated, truncatedBefore: baseline.Truncated}
	droppedBefore, droppedAfter := 0, 0
	if compared {
		basis.sampled("baseline", c.baseline, baseline)
		s.before, droppedBefore = fair(baseline.Traces, c.baseline, otherVersion(c, c.candidate))
	}
	basis.sampled("candidate", c.candidate, candidate)
	s.after, droppedAfter = fair(candidate.Traces, c.candidate, otherVersion(c, c.baseline))
	if dropped := droppedBefore + droppedAfter; dropped > 0 {
		basis.notice(fmt.Sprintf("%d traces that belong to both sides, or only in part to theirs, were left out.", dropped))
	}
	return s, nil
}

// search asks the store. In no time there are no traces: a deploy may have been
// announced just now.
func (e *Engine) search(ctx context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	if !filter.Start.Before(filter.End) {
		return upstream.TraceSet{}, nil
	}
	return e.Traces.Search(ctx, filter)
}

// sidesOf resolves which populations a question compares, if any.
func (e *Engine) sidesOf(ctx context.Context, q subject, window Window) (c comparison, compared bool, err error) {
	none := query.Population{}
	if q.compare != query.Nothing && q.baseline != none {
		c, err = e.populations(ctx, query.TraceDiff{
			Service: q.service, Operation: q.operation, Baseline: q.baseline, Candidate: q.candidate, MaxTraces: q.maxTraces,
		}, window)
		return c, true, err
	}
	finished, err := e.settled(window)
	if err != nil {
		return c, false, err
	}
	c.candidate = upstream.TraceFilter{Service: q.service, Operation: q.operation, Version: q.candidate.Version, TraceQL: q.candidate.TraceQL}
	if _, err := bound(&c.candidate, q.candidate, finished.From, finished.To); err != nil {
		return c, false, askersFault("candidate: %v", err)
	}
	if q.compare == query.Nothing || q.candidate != none {
		return c, false, nil
	}
	deploys, err := e.Deploys(ctx, query.Deploys{Service: q.service}, window)
	if err != nil {
		return c, false, err
	}
	c.notices = append(c.notices, deploys.unknown...)
	deploy, found := chooseDeploy(deploys.Deploys, "", "")
	if !found {
		c.notices = append(c.notices, "No deploy arrived in this window: there is nothing to compare with.")
		return c, false, nil
	}
	if !deploy.began().Before(c.candidate.End) {
		c.notices = append(c.notices, fmt.Sprintf("%s arrived at %s: its traces are not complete yet, nothing is compared.", deploy.name(), clock(deploy.At)))
		return c, false, nil
	}
	return sinceDeploy(c, deploy, deploys, q.service != ""), true, nil
}

// sinceDeploy splits the candidate's time at a deploy. Of one service the two
// versions are compared where spans carry them, else the time after with the
// time before.
func sinceDeploy(c comparison, deploy Deploy, known DeploysAnswer, ofService bool) comparison {
	c.baseline = c.candidate
	c.candidate.Start, c.arrived = deploy.At, true
	c.byVersion = ofService && deploy.selectable()
	c.before(deploy, known)
	if c.byVersion {
		c.candidate.Start = deploy.began()
		c.baseline.Version, c.candidate.Version = deploy.Previous, deploy.Version
	}
	c.notices = append(c.notices, fmt.Sprintf("%s arrived at %s, after %s: compared with the time before.", deploy.name(), clock(deploy.At), previousOr(deploy.Previous)))
	c.notices = append(c.notices, deploy.told()...)
	return c
}

func previousOr(version string) string {
	if version == "" {
		return "no known version"
	}
	return version
}
