package answer

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/decide"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// VerdictAnswer is the decision over a canary.
type VerdictAnswer struct {
	Basis
	Service, BaselineVersion, CandidateVersion string
	From, To                                   time.Time
	// Served is when both versions last served at the same time, as far as
	// metrics tell; zero where they never did.
	Served       time.Time
	Judgement    decide.Judgement
	Traces       diff.Verdict // empty where none could be compared
	TracesReason string
	// Steps state the power of StepLength at each share; none without traffic.
	Steps []decide.Step
}

// StepLength is the time at one share of a progressive delivery for which its
// power is stated.
const StepLength = 10 * time.Minute

// Verdict answers whether a new version should be rolled out further.
func (e *Engine) Verdict(ctx context.Context, q query.Verdict, window Window) (VerdictAnswer, error) {
	return e.verdict(ctx, q, window, func(decide.Judgement) bool { return false })
}

// Decide is Verdict for those who act on it: where the counts alone fail the
// canary, traces are not waited for, since they cannot change that.
func (e *Engine) Decide(ctx context.Context, q query.Verdict, window Window) (VerdictAnswer, error) {
	return e.verdict(ctx, q, window, func(soFar decide.Judgement) bool { return soFar.Verdict == decide.Fail })
}

// verdict judges by counts and, unless these suffice, by traces.
func (e *Engine) verdict(ctx context.Context, q query.Verdict, window Window, suffices func(decide.Judgement) bool) (VerdictAnswer, error) {
	answer := VerdictAnswer{Service: q.Service}
	if e.Metrics == nil {
		return answer, errNoMetrics
	}
	if e.Traces == nil && (q.Baseline.Version == "" || q.Candidate.Version == "") {
		return answer, askersFault("without a trace store both versions must be named: baseline and candidate")
	}
	c, err := e.populations(ctx, q.Diff(), window)
	if err != nil {
		return answer, err
	}
	answer.BaselineVersion, answer.CandidateVersion = c.baseline.Version, c.candidate.Version
	answer.From, answer.To = c.candidate.Start, c.candidate.End
	answer.notice(c.notices...)
	canary := decide.Canary{Watched: answer.To.Sub(answer.From)}
	if !c.byVersion {
		// Two times are no canary and its baseline: nothing is judged.
		answer.notice("Two versions that serve at the same time were not found in this window; name both.")
		answer.Judgement = canary.Judge()
		return answer, nil
	}
	if canary.Signals, answer.Served, err = e.versionSignals(ctx, c, q.Margin, &answer.Basis); err != nil {
		return answer, err
	}
	if len(canary.Signals) == 0 {
		answer.notice("No metric counts the requests of " + c.candidate.Version + ": span metrics or OpenTelemetry's HTTP metrics with the label service_version are needed.")
	}
	if suffices(canary.Judge()) {
		answer.notice("The counts alone decide: traces were not compared.")
	} else {
		if len(canary.Signals) > 0 {
			if canary.Resources, err = e.versionResources(ctx, c, &answer.Basis); err != nil {
				return answer, err
			}
		}
		if err := e.traceVerdict(ctx, q, window, &answer); err != nil {
			return answer, err
		}
	}
	canary.Traces, canary.TracesReason = answer.Traces, answer.TracesReason
	answer.Judgement = canary.Judge()
	answer.Steps = powerOf(answer.Judgement, canary.Watched)
	return answer, nil
}

// traceVerdict compares the traces of both versions, where there is a store.
func (e *Engine) traceVerdict(ctx context.Context, q query.Verdict, window Window, answer *VerdictAnswer) error {
	if e.Traces == nil {
		answer.notice("No trace store is configured: the verdict rests on metrics alone.")
		return nil
	}
	compared, err := e.TraceDiff(ctx, q.Diff(), window)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		answer.Traces, answer.TracesReason = diff.Insufficient, fmt.Sprintf("traces could not be compared: %v", err)
	default:
		answer.Traces, answer.TracesReason = compared.Result.Verdict, compared.Result.Reason
		answer.Queries = append(answer.Queries, compared.Queries...)
		answer.notice(compared.Notices...)
	}
	return nil
}

// powerOf states the power to see errors, the first signal, at the present
// traffic; half an error stands for none.
func powerOf(j decide.Judgement, watched time.Duration) []decide.Step {
	if len(j.Signals) == 0 || watched <= 0 || j.Signals[0].Baseline.Requests <= 0 {
		return nil
	}
	errors := j.Signals[0]
	requests := (errors.Baseline.Requests + errors.Candidate.Requests) * float64(StepLength) / float64(watched)
	return decide.Steps(requests, max(errors.Baseline.Bad, 0.5)/errors.Baseline.Requests, errors.Threshold)
}
