package diff

import (
	"fmt"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// secondLook are the rules of another look at a part of the same data.
func (o Options) secondLook() Options {
	o.FalseDiscoveryRate /= 2
	return o
}

// sinceLater judges the later half of the candidate where the whole raises
// doubts and proves nothing: a fault may begin some time after a version
// arrives, as when a pool runs out or a cache expires. A second look spends a
// half of the rate of false findings again. ok is false where it finds no
// regression either.
func (c *comparison) sinceLater(found Result, baseline, candidate []trace.Trace) (later Result, ok bool) {
	if found.Verdict != Insufficient || c.doubted() == nil {
		return Result{}, false
	}
	inTime := slices.Clone(candidate)
	slices.SortStableFunc(inTime, func(a, b trace.Trace) int { return a.Start().Compare(b.Start()) })
	later, _ = compare(baseline, inTime[len(inTime)/2:], c.options.secondLook())
	if later.Verdict != Regressed {
		return Result{}, false
	}
	later.Notices = append(later.Notices, fmt.Sprintf(
		"Found in the later half of the candidate, since %s; over all of its %d traces nothing is proven.",
		later.Candidate.Start.Format("15:04:05Z"), found.Candidate.Traces))
	return later, true
}
