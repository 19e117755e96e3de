package traces

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// PatternsAnswer is what makes requests needlessly slow.
type PatternsAnswer struct {
	core.Provenance
	Service, Operation string
	// BaselineVersion and CandidateVersion are empty where no versions are
	// compared; Compared says whether anything is.
	BaselineVersion, CandidateVersion string
	Compared                          bool
	// Start and End are the candidate's time.
	Start, End time.Time
	Result     pattern.Result
}

// Patterns answers what makes requests needlessly slow, and which of it came
// with a deploy.
func (e Comparer) Patterns(ctx context.Context, q query.Patterns, window core.Window) (PatternsAnswer, error) {
	answer := PatternsAnswer{Service: q.Service, Operation: q.Operation}
	if e.Traces == nil {
		return answer, core.ErrNoTraces
	}
	s, err := e.samplesOf(ctx, subject{q.Service, q.Operation, q.Baseline, q.Candidate, q.Compare, q.MaxTraces, false}, window, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	answer.Compared = s.compared
	answer.Start, answer.End = s.Candidate.Start, s.Candidate.End
	answer.BaselineVersion, answer.CandidateVersion = s.Baseline.Version, s.Candidate.Version
	if err := core.Compute(ctx, func() { answer.Result = pattern.Detect(s.after, s.before, pattern.Options{}) }); err != nil {
		return answer, err
	}
	answer.AddNotice(answer.Result.Notices...)
	return answer, nil
}
