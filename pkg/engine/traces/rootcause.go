package traces

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// RootCauseAnswer is the ranked suspects of a change.
type RootCauseAnswer struct {
	core.Provenance
	Service, Operation                string
	BaselineVersion, CandidateVersion string
	// BaselineTraceQL and CandidateTraceQL show the populations in Explore.
	BaselineTraceQL, CandidateTraceQL string
	Start, End                        time.Time // of the candidate
	Baseline, Candidate               diff.PopulationSummary
	NeededTraces                      int
	Result                            cause.Result
	Deploys                           []cause.Deploy // that came with the change
	Signals                           []cause.Signal
}

const (
	// deployTolerance is how long before a population begins a deploy may have
	// arrived to be part of the change.
	deployTolerance = time.Minute
	// mostAsked bounds the services whose metrics are looked at.
	mostAsked = 4
)

// RootCause answers what is to blame for a change between two populations of
// traces.
func (e Comparer) RootCause(ctx context.Context, q query.RootCause, window core.Window) (RootCauseAnswer, error) {
	answer := RootCauseAnswer{Service: q.Service, Operation: q.Operation}
	if e.Traces == nil {
		return answer, core.ErrNoTraces
	}
	c, err := e.Populations(ctx, query.TraceDiff{
		Service: q.Service, Operation: q.Operation, Baseline: q.Baseline, Candidate: q.Candidate, MaxTraces: q.MaxTraces,
	}, window)
	if err != nil {
		return answer, err
	}
	s, compared, err := e.judge(ctx, c, q.MaxTraces, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	answer.BaselineVersion, answer.CandidateVersion = c.Baseline.Version, c.Candidate.Version
	answer.BaselineTraceQL, answer.CandidateTraceQL = s.beforeQuery, s.afterQuery
	answer.Start, answer.End = c.Candidate.Start, c.Candidate.End

	answer.AddNotice(compared.Notices...)
	answer.Baseline, answer.Candidate, answer.NeededTraces = compared.Baseline, compared.Candidate, compared.NeededTraces
	evidence := cause.Evidence{}
	if len(compared.Suspects) > 0 {
		patterns := pattern.Detect(s.after, s.before, pattern.Options{})
		evidence.Patterns, evidence.Pauses = patterns.Findings, patterns.Pauses
		evidence.Deploys = e.deploysBetween(ctx, compared.Candidate, window, &answer.Provenance)
	}
	answer.Result = cause.Rank(compared, evidence)
	if e.Metrics != nil && len(answer.Result.Suspects) > 0 {
		evidence.Signals = e.resourceChanges(ctx, answer.Result, compared, &answer.Provenance)
		answer.Signals = evidence.Signals
		answer.Result = cause.Rank(compared, evidence)
	}
	answer.Deploys = evidence.Deploys
	answer.Result.Reason = s.withSummary(answer.Result.Reason)
	return answer, nil
}

// deploysBetween are the versions of any service that arrived with the
// candidate. Not knowing them takes a reason away and no more.
func (e Comparer) deploysBetween(ctx context.Context, candidate diff.PopulationSummary, window core.Window, basis *core.Provenance) (deploys []cause.Deploy) {
	found, err := e.Deploys.Find(ctx, query.Deploys{}, window)
	if err != nil {
		basis.AddNotice(fmt.Sprintf("Which services were deployed is not known: %v", err))
		return nil
	}
	for _, d := range found.Deploys {
		if d.Arrived && d.Previous != "" && !d.FirstSeen.Before(candidate.Start.Add(-deployTolerance)) && !d.FirstSeen.After(candidate.End) {
			deploys = append(deploys, cause.Deploy{Service: d.Service, Previous: d.Previous, Version: d.Version, At: d.FirstSeen})
		}
	}
	return deploys
}

func suspectServices(r cause.Result) (services []string) {
	for i := range r.Suspects {
		if service := r.Suspects[i].Service; service != "" && !slices.Contains(services, service) && len(services) < mostAsked {
			services = append(services, service)
		}
	}
	return services
}

// halves are the times in which traces of the baseline and of the candidate
// were seen. Where both versions ran at once, the time before the candidate
// stands for the baseline.
func halves(baseline, candidate diff.PopulationSummary) (before, now upstream.Range, apart bool) {
	before = upstream.Range{Start: baseline.Start, End: baseline.End}
	now = upstream.Range{Start: candidate.Start, End: candidate.End}
	if before.End.After(now.Start) {
		before.End = now.Start
	}
	return before, now, before.Start.Before(before.End)
}

// resourceChanges are the metrics of the suspects' resources, before and after.
func (e Comparer) resourceChanges(ctx context.Context, ranked cause.Result, compared diff.Result, basis *core.Provenance) []cause.Signal {
	before, now, apart := halves(compared.Baseline, compared.Candidate)
	if !apart {
		basis.AddNotice("Metrics were not compared: there is no time before the candidate to compare with.")
		return nil
	}
	return e.Signals.ResourceChanges(ctx, suspectServices(ranked), before, now, basis)
}
