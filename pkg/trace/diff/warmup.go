package diff

import (
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// steadyShare is how many times more traces after the warm-up than in it there
// must be before the warm-up is judged apart: with fewer, a finding that goes
// away may only lack evidence.
const steadyShare = 3

// apartFromWarmUp judges the candidate's first moments apart: where what was
// found is not found in the requests after them, it was the start of the
// candidate (empty caches, connections that are being opened, compilation) and
// the verdict is that of the time since. ok is false where that cannot be told
// or makes no difference.
func apartFromWarmUp(found Result, baseline, candidate []trace.Trace, options Options) (steady Result, ok bool) {
	if options.WarmUp <= 0 || found.Verdict != Regressed && found.Verdict != Changed {
		return Result{}, false
	}
	end := found.Candidate.Start.Add(options.WarmUp)
	since := slices.DeleteFunc(slices.Clone(candidate), func(t trace.Trace) bool { return t.Start().Before(end) })
	if warm := len(candidate) - len(since); warm == 0 || len(since) < steadyShare*warm {
		return Result{}, false
	}
	options.WarmUp = 0
	steady = Compare(baseline, since, options)
	if steady.Verdict != NoChange {
		return Result{}, false
	}
	steady.Notices = append(steady.Notices, fmt.Sprintf(
		"Only in the first %s of the candidate (warm-up): %s", end.Sub(found.Candidate.Start).Round(time.Second), found.Reason))
	return steady, true
}
