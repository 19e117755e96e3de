package diff

import (
	"fmt"
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// equivalenceConfidence is that of the interval which must lie within the
// margin: both one-sided tests are then significant at 5 % (two one-sided
// tests: Schuirmann 1987).
const equivalenceConfidence = 0.90

// equivalence says whether the requests of an endpoint are shown to take as
// long as before: that neither a slowdown by the least ratio that counts nor
// such a speedup is compatible with the data. That no difference was found
// shows nothing where there are few requests.
type equivalence struct {
	shown  bool
	needed int // further requests to show it, on the side that lacks them
}

// equivalenceOf tests the durations of both sides, ascending. They are equal
// where their ratio lies within the margin, or their difference within the least
// change that counts (nanoseconds).
func equivalenceOf(before, now []float64, margin, minChange float64) equivalence {
	if len(before) == 0 || len(now) == 0 {
		return equivalence{}
	}
	shift := stats.HodgesLehmann(logarithms(before), logarithms(now), equivalenceConfidence)
	limit := math.Log(margin)
	if within(shift, limit) || within(stats.HodgesLehmann(before, now, equivalenceConfidence), minChange) {
		return equivalence{shown: true}
	}
	// The interval shrinks with the root of the information. What lies near the
	// margin would need any number of requests; a quarter of it is near enough.
	half := (shift.Upper - shift.Lower) / 2
	room := math.Max(limit-math.Abs(shift.Estimate), limit/4)
	information := stats.Information(len(before), len(now)) * math.Max(1, half*half/(room*room))
	other, own := float64(max(len(before), len(now))), float64(min(len(before), len(now)))
	most := 2 * information // of each side, where both lack requests
	if other > 1.25*information {
		most = information * other / (other - information)
	}
	return equivalence{needed: int(math.Ceil(math.Max(1, most-own)))}
}

func within(shift stats.Interval, limit float64) bool {
	return shift.Lower > -limit && shift.Upper < limit
}

// mostlyShown says that the endpoints shown to be as before have at least half
// of the requests that could be judged.
func (c *comparison) mostlyShown() bool {
	shown, all := 0, 0
	for i := range c.endpoints {
		if e := &c.endpoints[i]; e.judged {
			all += e.Candidate
			if e.equivalence.shown {
				shown += e.Candidate
			}
		}
	}
	return shown > 0 && 2*shown >= all
}

// largest is the endpoint with the most requests among those that could be
// judged and are shown to be as before, or are not; nil for none.
func (c *comparison) largest(shown bool) (most *endpoint) {
	for i := range c.endpoints {
		e := &c.endpoints[i]
		if e.judged && e.equivalence.shown == shown && (most == nil || e.Candidate+e.Baseline > most.Candidate+most.Baseline) {
			most = e
		}
	}
	return most
}

// reasonUnshown is why neither a change nor its absence is shown.
func (c *comparison) reasonUnshown(r *Result, most *endpoint) string {
	if most.ChangeLower > c.options.MinRatio || most.ChangeUpper < 1/c.options.MinRatio {
		return fmt.Sprintf("Not enough data: %s takes %.2f× as long (95 %% %.2f–%.2f), which is within what the baseline itself varies from moment to moment; %d vs %d traces.",
			nameOf(most.Service, most.Operation), most.Change, most.ChangeLower, most.ChangeUpper, most.Candidate, most.Baseline)
	}
	smaller, side, count := "candidate", &r.Candidate, most.Candidate
	if most.Baseline < most.Candidate {
		smaller, side, count = "baseline", &r.Baseline, most.Baseline
	}
	return fmt.Sprintf("Not enough data: no significant difference, but none excluded either: %s takes %.2f× as long (95 %% %.2f–%.2f), and to show that it is less than %.2f× takes about %d more traces of the %s%s; %d vs %d traces.",
		nameOf(most.Service, most.Operation), most.Change, most.ChangeLower, most.ChangeUpper, c.options.MinRatio,
		r.NeededTraces, smaller, waiting(r.NeededTraces, count, side.End.Sub(side.Start)), most.Candidate, most.Baseline)
}
