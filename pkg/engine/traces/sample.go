package traces

import (
	"context"
	"fmt"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// samples are the traces of a question: of two sides, or of one.
type samples struct {
	Comparison
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
func (e Comparer) samplesOf(ctx context.Context, q subject, window core.Window, basis *core.Provenance) (samples, error) {
	c, compared, err := e.sidesOf(ctx, q, window)
	if err != nil {
		return samples{}, err
	}
	c.proportional = q.proportional
	return e.fetch(ctx, c, compared, q.maxTraces, basis)
}

// fetch searches the traces of the candidate and, where there is a comparison,
// of the baseline. It keeps those that belong to their side alone.
func (e Comparer) fetch(ctx context.Context, c Comparison, compared bool, limit int, basis *core.Provenance) (samples, error) {
	basis.AddNotice(c.Notices...)
	if e.Limits.MaxTraces > 0 {
		limit = min(limit, e.Limits.MaxTraces)
	}
	c.Baseline.Limit, c.Candidate.Limit = limit, limit
	if !c.proportional {
		c.Baseline.PerEndpoint, c.Candidate.PerEndpoint = perEndpoint, perEndpoint
	}
	var baseline, candidate upstream.TraceSet
	group, searchContext := parallel.WithContext(ctx)
	if compared {
		group.Go(func() (err error) { baseline, err = e.search(searchContext, c.Baseline); return err })
	}
	group.Go(func() (err error) { candidate, err = e.search(searchContext, c.Candidate); return err })
	err := group.Wait()
	if err != nil {
		return samples{}, err
	}
	if compared && len(baseline.Traces) < enoughTraces && c.wider.Before(c.Baseline.Start) && !c.wider.IsZero() {
		c.Baseline.Start = c.wider
		if baseline, err = e.search(ctx, c.Baseline); err != nil {
			return samples{}, err
		}
	}
	if e.isLate(c, compared, candidate) {
		if before, now, found := e.throughExemplars(ctx, &c, candidate, basis); found {
			baseline, candidate = before, now
		}
	}
	if compared && len(baseline.Traces) == 0 && !c.arrived {
		if err := e.explainEmpty(ctx, c.Baseline, c.window(compared)); err != nil {
			return samples{}, err
		}
	}
	if len(candidate.Traces) == 0 {
		if !c.arrived {
			if err := e.explainEmpty(ctx, c.Candidate, c.window(compared)); err != nil {
				return samples{}, err
			}
		}
		basis.AddNotice(fmt.Sprintf("No traces between %s and %s.", core.FormatTime(c.Candidate.Start), core.FormatTime(c.Candidate.End)))
	}
	s := samples{Comparison: c, compared: compared, beforeQuery: baseline.Filter, afterQuery: candidate.Filter, truncated: candidate.Truncated, truncatedBefore: baseline.Truncated}
	droppedBefore, droppedAfter := 0, 0
	if compared {
		sampled(basis, "baseline", c.Baseline, baseline)
		s.before, droppedBefore = fair(baseline.Traces, c.Baseline, otherVersion(c, c.Candidate))
	}
	sampled(basis, "candidate", c.Candidate, candidate)
	s.after, droppedAfter = fair(candidate.Traces, c.Candidate, otherVersion(c, c.Baseline))
	if dropped := droppedBefore + droppedAfter; dropped > 0 {
		basis.AddNotice(fmt.Sprintf("%d traces that belong to both sides, or only in part to theirs, were left out.", dropped))
	}
	return s, nil
}

// search asks the store. In no time there are no traces: a deploy may have been
// announced just now.
func (e Comparer) search(ctx context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	if !filter.Start.Before(filter.End) {
		return upstream.TraceSet{}, nil
	}
	return e.Traces.Search(ctx, filter)
}

// sidesOf resolves which populations a question compares, if any.
func (e Comparer) sidesOf(ctx context.Context, q subject, window core.Window) (c Comparison, compared bool, err error) {
	none := query.Population{}
	if q.compare != query.Nothing && q.baseline != none {
		c, err = e.Populations(ctx, query.TraceDiff{
			Service: q.service, Operation: q.operation, Baseline: q.baseline, Candidate: q.candidate, MaxTraces: q.maxTraces,
		}, window)
		return c, true, err
	}
	finished, err := e.settled(window)
	if err != nil {
		return c, false, err
	}
	c.Candidate = upstream.TraceFilter{Service: q.service, Operation: q.operation, Version: q.candidate.Version, TraceQL: q.candidate.TraceQL}
	if _, err := bound(&c.Candidate, q.candidate, finished.From, finished.To); err != nil {
		return c, false, core.UserErrorf("candidate: %v", err)
	}
	if q.compare == query.Nothing || q.candidate != none {
		return c, false, nil
	}
	deploys, err := e.Deploys.Find(ctx, query.Deploys{Service: q.service}, window)
	if err != nil {
		return c, false, err
	}
	c.Notices = append(c.Notices, deploys.Unavailable...)
	deploy, found := chooseDeploy(deploys.Deploys, "", "")
	if !found {
		c.Notices = append(c.Notices, "No deploy arrived in this window: there is nothing to compare with.")
		return c, false, nil
	}
	if !deploy.Start().Before(c.Candidate.End) {
		c.Notices = append(c.Notices, fmt.Sprintf("%s arrived at %s: its traces are not complete yet, nothing is compared.", deploy.Name(), core.FormatTime(deploy.At)))
		return c, false, nil
	}
	return sinceDeploy(c, deploy, deploys, q.service != ""), true, nil
}

// sinceDeploy splits the candidate's time at a deploy. Of one service the two
// versions are compared where spans carry them, else the time after with the
// time before.
func sinceDeploy(c Comparison, deploy deploys.Deploy, known deploys.Answer, ofService bool) Comparison {
	c.Baseline = c.Candidate
	c.Candidate.Start, c.arrived = deploy.At, true
	c.ByVersion = ofService && deploy.Selectable()
	c.before(deploy, known)
	if c.ByVersion {
		c.Candidate.Start = deploy.Start()
		c.Baseline.Version, c.Candidate.Version = deploy.Previous, deploy.Version
	}
	c.Notices = append(c.Notices, fmt.Sprintf("%s arrived at %s, after %s: compared with the time before.", deploy.Name(), core.FormatTime(deploy.At), previousOr(deploy.Previous)))
	c.Notices = append(c.Notices, deploy.Notices()...)
	return c
}

func previousOr(version string) string {
	if version == "" {
		return "no known version"
	}
	return version
}
