package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// VerdictAnswer is the decision over a canary.
type VerdictAnswer struct {
	core.Provenance
	Service, BaselineVersion, CandidateVersion string
	From, To                                   time.Time
	// Served is when both versions last served at the same time, as far as
	// metrics tell; zero where they never did.
	Served       time.Time
	Judgement    canary.Judgement
	Traces       diff.Verdict // empty where none could be compared
	TracesReason string
	// Steps state the power of StepLength at each share; none without traffic.
	Steps []canary.Step
}

// StepLength is the time at one share of a progressive delivery for which its
// power is stated.
const StepLength = 10 * time.Minute

// TraceVerdict is what a comparison of traces said.
type TraceVerdict struct {
	Verdict diff.Verdict
	Reason  string
	// Baseline and Candidate are the versions that were compared; empty where
	// none were.
	Baseline, Candidate string
}

// of is the verdict where it is one of these versions.
func (v TraceVerdict) of(c traces.Comparison) TraceVerdict {
	if v.Candidate == "" || v.Baseline == c.Baseline.Version && v.Candidate == c.Candidate.Version {
		return v
	}
	return TraceVerdict{Verdict: diff.Insufficient, Reason: fmt.Sprintf("traces of %s and %s were not compared yet", c.Baseline.Version, c.Candidate.Version)}
}

// Verdict answers whether a new version should be rolled out further.
func (e Advisor) Verdict(ctx context.Context, q query.Verdict, window core.Window) (VerdictAnswer, error) {
	return e.verdict(ctx, q, window, nil, func(canary.Judgement) bool { return false })
}

// Decide is Verdict for those who act on it: where the counts alone fail the
// canary, traces are not waited for, since they cannot change that.
func (e Advisor) Decide(ctx context.Context, q query.Verdict, window core.Window) (VerdictAnswer, error) {
	return e.verdict(ctx, q, window, nil, countsSuffice)
}

// DecideByCounts is Decide without asking the trace store: what its traces said
// is known, or why they did not. Where versions are not named they are those of
// span metrics.
func (e Advisor) DecideByCounts(ctx context.Context, q query.Verdict, window core.Window, known TraceVerdict) (VerdictAnswer, error) {
	return e.withoutTraces().verdict(ctx, q, window, &known, countsSuffice)
}

func countsSuffice(soFar canary.Judgement) bool { return soFar.Verdict == canary.Fail }

// withoutTraces is the advisor as if there were no trace store.
func (e Advisor) withoutTraces() Advisor {
	e.Traces, e.Comparer = nil, e.Comparer.WithoutStore()
	return e
}

// verdict judges by counts and, unless these suffice, by traces, or by what is
// known of them.
func (e Advisor) verdict(ctx context.Context, q query.Verdict, window core.Window, known *TraceVerdict, suffices func(canary.Judgement) bool) (VerdictAnswer, error) {
	answer := VerdictAnswer{Service: q.Service}
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	if e.Traces == nil && known == nil && (q.Baseline.Version == "" || q.Candidate.Version == "") {
		return answer, core.UserErrorf("without a trace store both versions must be named: baseline and candidate")
	}
	c, unseen, err := e.versions(ctx, q, window)
	if err != nil {
		return answer, err
	}
	if unseen != nil {
		known = &TraceVerdict{Verdict: diff.Insufficient, Reason: notCompared(unseen)}
	}
	answer.BaselineVersion, answer.CandidateVersion = c.Baseline.Version, c.Candidate.Version
	answer.From, answer.To = c.Candidate.Start, c.Candidate.End
	answer.AddNotice(c.Notices...)
	trial := canary.Canary{Watched: answer.To.Sub(answer.From)}
	if !c.ByVersion {
		// Two times are no canary and its baseline: nothing is judged.
		answer.AddNotice("Two versions that serve at the same time were not found in this window; name both.")
		answer.Judgement = trial.Judge()
		return answer, nil
	}
	if trial.Signals, trial.Period, answer.Served, err = e.versionSignals(ctx, c, q.Margin, &answer.Provenance); err != nil {
		return answer, err
	}
	if len(trial.Signals) == 0 {
		answer.AddNotice("No metric counts the requests of " + c.Candidate.Version + ": span metrics or OpenTelemetry's HTTP metrics with the label service_version are needed.")
	}
	if suffices(trial.Judge()) {
		answer.AddNotice("The counts alone decide: traces were not compared.")
	} else {
		if len(trial.Signals) > 0 {
			if trial.Resources, err = e.versionResources(ctx, c, &answer.Provenance); err != nil {
				return answer, err
			}
		}
		if known != nil {
			of := known.of(c)
			answer.Traces, answer.TracesReason = of.Verdict, of.Reason
			answer.AddNotice(of.Reason)
		} else if err := e.traceVerdict(ctx, q, window, &answer); err != nil {
			return answer, err
		}
	}
	trial.Traces, trial.TracesReason = answer.Traces, answer.TracesReason
	answer.Judgement = trial.Judge()
	answer.Steps = powerOf(answer.Judgement, trial.Watched)
	return answer, nil
}

// versions are the canary and its baseline. Where the trace store fails, which
// is then told, span metrics may know them as well; where they do not, that
// failure is the error.
func (e Advisor) versions(ctx context.Context, q query.Verdict, window core.Window) (c traces.Comparison, unseen, err error) {
	c, err = e.Comparer.Populations(ctx, q.Diff(), window)
	var failure *upstream.Error
	if err == nil || ctx.Err() != nil || e.Traces == nil || !errors.As(err, &failure) {
		return c, nil, err
	}
	c, otherwise := e.withoutTraces().Comparer.Populations(ctx, q.Diff(), window)
	if otherwise != nil || !c.ByVersion {
		return c, nil, err
	}
	return c, err, nil
}

func notCompared(err error) string { return fmt.Sprintf("traces could not be compared: %v", err) }

// traceVerdict compares the traces of both versions, where there is a store.
func (e Advisor) traceVerdict(ctx context.Context, q query.Verdict, window core.Window, answer *VerdictAnswer) error {
	if e.Traces == nil {
		answer.AddNotice("No trace store is configured: the verdict rests on metrics alone.")
		return nil
	}
	compared, err := e.Comparer.TraceDiff(ctx, q.Diff(), window)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		answer.Traces, answer.TracesReason = diff.Insufficient, notCompared(err)
		answer.AddNotice(answer.TracesReason)
	default:
		answer.Traces, answer.TracesReason = compared.Result.Verdict, compared.Result.Reason
		answer.Queries = append(answer.Queries, compared.Queries...)
		answer.AddNotice(compared.Notices...)
	}
	return nil
}

// powerOf states the power to see errors, the first signal, at the present
// traffic; half an error stands for none.
func powerOf(j canary.Judgement, watched time.Duration) []canary.Step {
	if len(j.Signals) == 0 || watched <= 0 || j.Signals[0].Baseline.Requests <= 0 {
		return nil
	}
	errors := j.Signals[0]
	requests := (errors.Baseline.Requests + errors.Candidate.Requests) * float64(StepLength) / float64(watched)
	return canary.Steps(requests/errors.Dispersion, max(errors.Baseline.Bad, 0.5)/errors.Baseline.Requests, errors.Threshold)
}
