package diff

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// equivalenceConfidence is that of the interval which must lie within the
// margin: both one-sided tests are then significant at 5 % (two one-sided
// tests: Schuirmann 1987).
const equivalenceConfidence = 0.90

// equivalence says whether the requests of an endpoint are shown to take as
// long as before: that neither a slowdown by the least ratio that counts nor
// such a speedup is compatible with the data, and the same of their mean and
// 95th percentile by the square of that ratio, for these say what befell some of
// the requests. That no difference was found shows nothing where there are few
// requests.
type equivalence struct {
	shown bool
	// doubtful says that mean or 95th percentile differ, as far as they alone can
	// tell.
	doubtful bool
	needed   int // further requests to show it, on the side that lacks them
	// mayFail is the increase of the share of failed requests that is not
	// excluded, where that is too much.
	mayFail float64
}

// likeness is the interval of a ratio's logarithm, and how far from zero it may
// reach.
type likeness struct {
	stats.Interval
	limit float64
}

// equivalenceOf tests the durations of both sides, ascending. A change of less
// than minChange nanoseconds counts as none.
func equivalenceOf(before, now []float64, margin, minChange float64) equivalence {
	if len(before) == 0 || len(now) == 0 {
		return equivalence{}
	}
	firstTail, secondTail := tailInterval(before, equivalenceConfidence), tailInterval(now, equivalenceConfidence)
	tails := ratioOf(firstTail, secondTail)
	limit := func(times, location float64) float64 {
		return math.Max(times*math.Log(margin), math.Log1p(minChange/(location+resolution)))
	}
	var e equivalence
	typical := likeness{stats.HodgesLehmann(logarithms(before), logarithms(now), equivalenceConfidence), limit(1, stats.Quantile(before, 0.5))}
	means := likeness{ratioOfMeans(before, now), limit(2, mean(before))}
	tail := likeness{stats.Interval{Estimate: math.Log(tails.Estimate), Lower: math.Log(tails.Lower), Upper: math.Log(tails.Upper)}, limit(2, firstTail.Estimate)}
	e.doubtful = means.differs(limit(1, mean(before))) || tail.differs(limit(1, firstTail.Estimate))
	more := math.Max(typical.more(), 2)
	if !e.doubtful { // else more traces show something else
		more = math.Max(typical.more(), math.Max(means.more(), tail.more()))
		e.shown = typical.shown() && means.shown() && tail.shown()
	}
	if e.shown {
		return e
	}
	information := stats.Information(len(before), len(now)) * more
	other, own := float64(max(len(before), len(now))), float64(min(len(before), len(now)))
	most := 2 * information // of each side, where both lack requests
	if other > 1.25*information {
		most = information * other / (other - information)
	}
	e.needed = int(math.Ceil(math.Max(1, most-own)))
	return e
}

// maxMoreFailures is the increase of the share of failed requests that must be
// excluded before anything is called unchanged.
const maxMoreFailures = 0.05

// excludeFailures takes back what is shown of the durations where so few
// requests do not exclude that clearly more of them fail.
func (e *equivalence) excludeFailures(before, after stats.Proportion) {
	upper := stats.Newcombe(before, after, equivalenceConfidence).Upper
	if upper < maxMoreFailures {
		return
	}
	smaller := float64(min(before.Trials, after.Trials))
	e.shown, e.mayFail = false, upper
	e.needed = max(e.needed, int(math.Ceil(smaller*(upper/maxMoreFailures-1))), 1)
}

func (l likeness) shown() bool { return l.Lower > -l.limit && l.Upper < l.limit }

// more is how many times the information it takes to show it. The interval
// shrinks with the root of the information. What lies near the limit would need
// any number of requests; a quarter of it is near enough.
func (l likeness) more() float64 {
	if l.shown() {
		return 1
	}
	half := (l.Upper - l.Lower) / 2
	room := math.Max(l.limit-math.Abs(l.Estimate), l.limit/4)
	return half * half / (room * room)
}

// differs says that the estimate is beyond the limit, and that no difference is
// not compatible with the data, at 99 %.
func (l likeness) differs(limit float64) bool {
	const wider = 2.576 / 1.645 // normal quantiles of both confidences
	switch {
	case l.Estimate > limit:
		return l.Estimate-wider*(l.Estimate-l.Lower) > 0
	case l.Estimate < -limit:
		return l.Estimate+wider*(l.Upper-l.Estimate) < 0
	}
	return false
}

// ratioOfMeans is the logarithm of the ratio of two means, by the delta method.
func ratioOfMeans(before, now []float64) stats.Interval {
	relative := func(values []float64) (logarithm, variance float64) {
		average, square := mean(values)+resolution, 0.0
		for _, value := range values {
			square += (value + resolution - average) * (value + resolution - average)
		}
		return math.Log(average), square / math.Max(1, float64(len(values)-1)) / float64(len(values)) / (average * average)
	}
	first, firstVariance := relative(before)
	second, secondVariance := relative(now)
	half := distuv.UnitNormal.Quantile((1+equivalenceConfidence)/2) * math.Sqrt(firstVariance+secondVariance)
	return stats.Interval{Estimate: second - first, Lower: second - first - half, Upper: second - first + half}
}

// mostlyShown says that the endpoints shown to be as before have at least half
// of the requests that could be judged.
func (c *comparison) mostlyShown() bool {
	shown, all := 0, 0
	for _, e := range c.judgedEndpoints() {
		all += e.Candidate
		if e.equivalence.shown {
			shown += e.Candidate
		}
	}
	return shown > 0 && 2*shown >= all
}

// judgedEndpoints are those with enough requests, and all others together.
func (c *comparison) judgedEndpoints() (judged []*endpoint) {
	for i := range c.endpoints {
		if c.endpoints[i].judged {
			judged = append(judged, &c.endpoints[i])
		}
	}
	if c.rest.judged {
		judged = append(judged, &c.rest)
	}
	return judged
}

// manyOperations names endpoints that are judged together.
func manyOperations(count int) string { return fmt.Sprintf("(%d operations together)", count) }

// overwhelming is the p-value, before anything is known of how moments differ,
// that forbids to speak of no change.
const overwhelming = 1e-6

// matters is the least share of the time of all requests with which an endpoint
// has a say in whether nothing changed.
const matters = 0.05

// doubt notes, for every endpoint, the strongest evidence that was not enough.
func (c *comparison) doubt(tests []hypothesis) {
	for i := range tests {
		t := &tests[i]
		if e := &c.endpoints[c.endpointOf[t.path]]; t.raw <= overwhelming && (t.large || t.moved || t.aspect == New || t.aspect == Gone) && (e.doubt == nil || t.raw < e.doubt.raw) {
			e.doubt = t
		}
	}
}

// doubted is the endpoint of which it is least credible that nothing changed:
// of those that matter, the one whose time changed most. Nil for none.
func (c *comparison) doubted() (most *endpoint) {
	change := func(e *endpoint) float64 { return math.Abs(e.MeanChange) * float64(e.Candidate) }
	all := 0.0
	for i := range c.endpoints {
		all += c.endpoints[i].CandidateDuration.Mean * float64(c.endpoints[i].Candidate)
	}
	for _, e := range c.judgedEndpoints() {
		if e.doubt == nil && !e.equivalence.doubtful || e.CandidateDuration.Mean*float64(e.Candidate) < matters*all {
			continue
		}
		if most == nil || change(e) > change(most) {
			most = e
		}
	}
	return most
}

// undecided is the endpoint that keeps the comparison from an answer: one in
// doubt, else the largest that is not shown to be as before; nil for none.
func (c *comparison) undecided() (most *endpoint) {
	if doubted := c.doubted(); doubted != nil {
		return doubted
	}
	return c.largest(false)
}

// largest is the endpoint with the most requests among those that could be
// judged and are shown to be as before, or are not; nil for none.
func (c *comparison) largest(shown bool) (most *endpoint) {
	for _, e := range c.judgedEndpoints() {
		if e.equivalence.shown == shown && (most == nil || e.Candidate+e.Baseline > most.Candidate+most.Baseline) {
			most = e
		}
	}
	return most
}

// reasonUndecided is why neither a change nor its absence is shown.
func (c *comparison) reasonUndecided(r *Result, e *endpoint) string {
	name := nameOf(e.Service, e.Operation)
	if e.doubt != nil || e.equivalence.doubtful {
		path := c.maxChanged(e)
		if e.doubt != nil {
			path = &c.results[e.doubt.path]
		}
		return fmt.Sprintf("Not enough data: %s takes %s → %s on average and %s → %s at the 95th percentile, most notably %s. This proves no change yet (traces are few, or moments of the baseline differ as much), but excludes none; %d vs %d traces.",
			name, trace.FormatDuration(e.BaselineDuration.Mean), trace.FormatDuration(e.CandidateDuration.Mean), trace.FormatDuration(e.BaselineDuration.P95), trace.FormatDuration(e.CandidateDuration.P95),
			nameOf(path.Service, path.Operation), e.Candidate, e.Baseline)
	}
	smaller, side, count := "candidate", &r.Candidate, e.Candidate
	if e.Baseline < e.Candidate {
		smaller, side, count = "baseline", &r.Baseline, e.Baseline
	}
	if e.equivalence.mayFail > 0 {
		return fmt.Sprintf("Not enough data: no significant difference, but %s may fail in up to %.1f points more of its requests; to exclude %.0f points takes about %d more traces of the %s%s; %d vs %d traces.",
			name, 100*e.equivalence.mayFail, 100*maxMoreFailures, r.NeededTraces, smaller, waiting(r.NeededTraces, count, side.End.Sub(side.Start)), e.Candidate, e.Baseline)
	}
	return fmt.Sprintf("Not enough data: no significant difference, but none excluded either: %s takes %.2f× as long (95 %% %.2f–%.2f), and to show that it is less than %.2f× takes about %d more traces of the %s%s; %d vs %d traces.",
		name, e.Change, e.ChangeLower, e.ChangeUpper, c.options.MinRatio,
		r.NeededTraces, smaller, waiting(r.NeededTraces, count, side.End.Sub(side.Start)), e.Candidate, e.Baseline)
}

// maxChanged is the path that contributes most to the change of an endpoint's
// mean.
func (c *comparison) maxChanged(e *endpoint) *Path {
	most, largest := e.root, 0.0
	for id := range trace.PathID(len(c.results)) {
		effect := &c.effects[id]
		change := effect.calls + effect.selfTime + effect.gap
		if &c.endpoints[c.endpointOf[id]] == e && change*e.MeanChange > 0 && math.Abs(change) > largest {
			most, largest = id, math.Abs(change)
		}
	}
	return &c.results[most]
}
