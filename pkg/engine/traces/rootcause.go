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
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
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
	// Metrics are the suspects by metrics alone; nil where they were not asked.
	Metrics *MetricCauses
	// Changes are the ranked deploys; nil where they were not asked for.
	Changes []Change
}

const (
	// deployTolerance is how long before a population begins a deploy may have
	// arrived to be part of the change.
	deployTolerance = time.Minute
	// maxQueried bounds the services whose metrics are looked at.
	maxQueried = 4
)

// RootCause answers what is to blame for a change between two populations of
// traces, or for an abnormal signal of a service.
func (e Comparer) RootCause(ctx context.Context, q query.RootCause, window core.Window) (RootCauseAnswer, error) {
	answer := RootCauseAnswer{Service: q.Service, Operation: q.Operation}
	if e.Traces == nil && e.Metrics == nil {
		return answer, core.ErrNoTraces
	}
	if q.View == query.Changes {
		err := e.byChanges(ctx, q, window, &answer)
		return answer, err
	}
	if q.Signal != "" || e.Traces == nil {
		found, err := e.metricCauses(ctx, q, window, &answer.Provenance)
		if err != nil && e.Traces == nil {
			return answer, err
		}
		if err != nil {
			answer.AddNotice(fmt.Sprintf("Traces alone were compared: %v", err))
		}
		answer.Metrics = found
	}
	if e.Traces == nil {
		answer.byMetrics(window)
		return answer, nil
	}
	if q.Signal == "" {
		err := e.causesInTraces(ctx, q, window, &answer)
		return answer, err
	}
	timed := since(q, answer.Metrics, window)
	beside := answer
	if err := e.causesInTraces(ctx, timed, window, &beside); err != nil && answer.Metrics != nil {
		answer.byMetrics(window)
		answer.AddNotice(fmt.Sprintf("Metrics alone were compared: %v", err))
		return answer, nil
	} else if err != nil {
		return answer, err
	}
	if timed != q && beside.Result.Verdict != diff.Regressed {
		versions := RootCauseAnswer{Service: q.Service, Operation: q.Operation, Metrics: answer.Metrics}
		if e.versionsAtOnset(ctx, q, window, &versions) {
			versions.Merge(answer.Provenance)
			return versions, nil
		}
	}
	return beside, nil
}

// versionsAtOnset compares the versions of the service where one arrived at the onset
// and is worse. In the first minutes after a deploy most traces since the onset may
// be of the version before, since metrics come in steps and pods one by one.
func (e Comparer) versionsAtOnset(ctx context.Context, q query.RootCause, window core.Window, answer *RootCauseAnswer) bool {
	if err := e.causesInTraces(ctx, q, window, answer); err != nil || answer.Result.Verdict != diff.Regressed || answer.CandidateVersion == "" {
		return false
	}
	apart := answer.Candidate.Start.Sub(answer.Metrics.Onset).Abs()
	return apart <= 2*answer.Metrics.Step+deployTolerance
}

// byMetrics takes over what metrics say where there are no traces.
func (a *RootCauseAnswer) byMetrics(window core.Window) {
	a.Start, a.End = a.Metrics.Onset, window.To
	switch a.Metrics.Result.Verdict {
	case propagation.Abnormal:
		a.Result.Verdict = diff.Regressed
		a.Result.Reason = fmt.Sprintf("By metrics alone: the %s of %s %s abnormal since %s.", a.Metrics.Signal, a.Service, be(a.Metrics.Signal), core.FormatTime(a.Metrics.Onset))
	case propagation.Normal:
		a.Result.Verdict = diff.NoChange
		a.Result.Reason = fmt.Sprintf("By metrics alone: the %s of %s %s as before.", a.Metrics.Signal, a.Service, be(a.Metrics.Signal))
	default:
		a.Result.Verdict = diff.Insufficient
		a.Result.Reason = fmt.Sprintf("The metrics of %s have too few values to compare.", a.Service)
	}
	a.Result.Victims = a.Metrics.Result.Victims
}

func be(signal propagation.Signal) string {
	if signal == propagation.Failures {
		return "are"
	}
	return "is"
}

// since compares the traces of an anomaly with those before it, where the
// question leaves the populations open.
func since(q query.RootCause, found *MetricCauses, window core.Window) query.RootCause {
	if found == nil || !found.Begun || q.Baseline != (query.Population{}) || q.Candidate != (query.Population{}) {
		return q
	}
	onset := found.Onset
	length := max(window.To.Sub(onset), onset.Sub(window.From))
	q.Baseline = query.Population{From: rfc3339(onset.Add(-length)), To: rfc3339(onset)}
	q.Candidate = query.Population{From: rfc3339(onset), To: rfc3339(window.To)}
	return q
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// causesInTraces compares two populations of traces, and ranks the suspects.
func (e Comparer) causesInTraces(ctx context.Context, q query.RootCause, window core.Window, answer *RootCauseAnswer) error {
	c, err := e.Populations(ctx, query.TraceDiff{
		Service: q.Service, Operation: q.Operation, Baseline: q.Baseline, Candidate: q.Candidate, MaxTraces: q.MaxTraces,
	}, window)
	if err != nil {
		return err
	}
	s, compared, err := e.judge(ctx, c, q.MaxTraces, &answer.Provenance)
	if err != nil {
		return err
	}
	answer.BaselineVersion, answer.CandidateVersion = c.Baseline.Version, c.Candidate.Version
	answer.BaselineTraceQL, answer.CandidateTraceQL = s.beforeQuery, s.afterQuery
	answer.Start, answer.End = c.Candidate.Start, c.Candidate.End

	answer.AddNotice(compared.Notices...)
	answer.Baseline, answer.Candidate, answer.NeededTraces = compared.Baseline, compared.Candidate, compared.NeededTraces
	evidence := cause.Evidence{}
	if len(compared.Suspects) > 0 {
		var patterns pattern.Result
		if err := core.Compute(ctx, func() { patterns = pattern.Detect(s.after, s.before, pattern.Options{}) }); err != nil {
			return err
		}
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
	return nil
}

// deploysBetween are the versions of any service that arrived with the
// candidate. Not knowing them takes a reason away and no more.
func (e Comparer) deploysBetween(ctx context.Context, candidate diff.PopulationSummary, window core.Window, basis *core.Provenance) (deploys []cause.Deploy) {
	found, err := e.Deploys.Find(ctx, query.Deploys{}, window)
	if err != nil {
		basis.AddNotice(fmt.Sprintf("Which services were deployed is unknown: %v", err))
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
		if service := r.Suspects[i].Service; service != "" && !slices.Contains(services, service) && len(services) < maxQueried {
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
