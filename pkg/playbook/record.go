package playbook

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Record is what came of a pattern's recommendations, and whether it has earned the
// mode auto by them.
type Record struct {
	Pattern Pattern `json:"pattern"`
	Right   int     `json:"right"`
	Wrong   int     `json:"wrong"`
	// RightInARow are those since the last wrong one.
	RightInARow int `json:"rightInARow"`
	// Lower is the lower 95 % limit of the share of right ones (Wilson), Evidence the
	// e-value against a share at or below the bar.
	Lower    float64 `json:"lower"`
	Evidence float64 `json:"evidence"`
	Earned   bool    `json:"earned"`
}

const (
	// minRecord is how many must have been right in a row: after a failure, a pattern
	// falls back until as many were right again.
	minRecord = 20
	// recordConfidence is that of the limit, and of all looks at the evidence
	// together.
	recordConfidence = 0.95
)

// rightShares are the alternatives of the evidence, as parts of the way from the bar
// to 1, with their weights.
var rightShares = []struct{ part, weight float64 }{{1, 0.5}, {0.9, 0.125}, {0.75, 0.125}, {0.5, 0.125}, {0.25, 0.125}}

// JudgeRecord judges a pattern by what came of its recommendations, in their order.
//
// The limit of Wilson holds for one look, and a record is looked at after every
// outcome. So there must be evidence, too, that the share is above the bar: a
// mixture of likelihood ratios, which reaches 20 at any look with a probability of
// at most 5 % where it is not (Ville's inequality; Ramdas et al. 2023, Statistical
// Science 38:576).
func JudgeRecord(pattern Pattern, outcomes []Past, bar float64) Record {
	r := Record{Pattern: pattern}
	known := map[string]bool{}
	outcomes = slices.Clone(outcomes)
	slices.SortStableFunc(outcomes, func(a, b Past) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	for _, one := range outcomes {
		if one.Pattern != pattern || known[one.ID] {
			continue
		}
		switch known[one.ID] = true; one.Outcome {
		case Verified:
			r.Right, r.RightInARow = r.Right+1, r.RightInARow+1
		case Failed:
			r.Wrong, r.RightInARow = r.Wrong+1, 0
		}
	}
	r.Lower = stats.Wilson(stats.Proportion{Successes: r.Right, Trials: r.Right + r.Wrong}, recordConfidence).Lower
	for _, a := range rightShares {
		if !(bar > 0 && bar < 1) {
			break // nothing can be shown
		}
		share := bar + a.part*(1-bar)
		logarithm := float64(r.Right) * math.Log(share/bar)
		if r.Wrong > 0 {
			logarithm += float64(r.Wrong) * math.Log((1-share)/(1-bar))
		}
		r.Evidence += a.weight * math.Exp(math.Min(logarithm, 600))
	}
	r.Earned = r.RightInARow >= minRecord && r.Lower > bar && r.Evidence >= 1/(1-recordConfidence)
	return r
}

// text says why auto is not earned.
func (r Record) text(bar float64) string {
	return fmt.Sprintf("auto is not earned: %d of %d recommendations were right, %d since the last wrong one, which shows a share above %.0f %%; it must be above %.0f %%",
		r.Right, r.Right+r.Wrong, r.RightInARow, 100*r.Lower, 100*bar)
}

// records are those of all patterns, where a bar is set.
func (c Config) records(s Situation) (all []Record) {
	if !(c.MinRight > 0) {
		return nil
	}
	for _, pattern := range Patterns() {
		all = append(all, JudgeRecord(pattern, s.Record, c.MinRight))
	}
	return all
}
