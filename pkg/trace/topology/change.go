package topology

import (
	"maps"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// minSuperiority is the least probability that a trace of the slower side
	// takes longer (Vargha and Delaney's medium effect).
	minSuperiority = 0.64
	// minErrorRatio and minErrorChange are the least change of failures.
	minErrorRatio, minErrorChange = 2, 0.005
	// minCallRatio and minCallChange are the least change of calls per trace.
	minCallRatio, minCallChange = 1.5, 0.5
)

// question is a possible change with its evidence, not yet adjusted for the
// others.
type question struct {
	about  string
	change Change
	pValue float64
	large  bool
}

// ask notes everything that may have changed of a node or an edge. The trace is
// the sampling unit.
func (c *comparison) ask(about string, now, before *tally, isService bool) {
	present := stats.Proportion{Successes: occurrences(now), Trials: c.now.traces}
	past := stats.Proportion{Successes: occurrences(before), Trials: c.before.traces}
	switch {
	case past.Successes == 0 || present.Successes == 0:
		change, seen, lacking := New, present, past
		if present.Successes == 0 {
			change, seen, lacking = Gone, past, present
		}
		c.add(about, change, stats.FisherMidP(past, present),
			lacking.Trials >= c.options.MinTracesForNew && seen.Rate() >= c.options.MinShare)
		return
	case min(past.Successes, present.Successes) < c.options.MinTraces:
		return
	}
	c.askErrors(about, now, before)
	c.askSpeed(about, now.times(isService), before.times(isService))
	c.askCalls(about, now, before)
}

func (c *comparison) add(about string, change Change, pValue float64, large bool) {
	c.questions = append(c.questions, question{about, change, pValue, large})
}

// occurrences is the number of traces with the node or edge: with own work of a
// service, even where it answers no call.
func occurrences(t *tally) int {
	if t == nil {
		return 0
	}
	return max(len(t.perTrace), len(t.own))
}

func (c *comparison) askErrors(about string, now, before *tally) {
	a, b := before.failing(), now.failing()
	change, low, high := MoreErrors, a.Rate(), b.Rate()
	if b.Rate() < a.Rate() {
		change, low, high = FewerErrors, b.Rate(), a.Rate()
	}
	c.add(about, change, stats.FisherMidP(a, b), high >= minErrorRatio*low && high-low >= minErrorChange)
}

// failing is the traces with a failed call among those with any.
func (t *tally) failing() stats.Proportion {
	p := stats.Proportion{Trials: len(t.perTrace)}
	for _, held := range t.perTrace {
		if held.failed {
			p.Successes++
		}
	}
	return p
}

// times is the time per trace, ascending: of a service its own work, of all
// else the mean of the calls. A service is not slower because what it calls is,
// nor a database because it is called more often.
func (t *tally) times(isService bool) []float64 {
	if isService {
		return slices.Sorted(maps.Values(t.own))
	}
	var times []float64
	for _, held := range t.perTrace {
		times = append(times, held.time/float64(held.calls))
	}
	slices.Sort(times)
	return times
}

func (c *comparison) askSpeed(about string, now, before []float64) {
	ranks := stats.MannWhitney(before, now)
	change := Slower
	if ranks.Superiority < 0.5 {
		change = Faster
	}
	if ranks.PValue > c.options.FalseDiscoveryRate {
		c.add(about, change, ranks.PValue, false)
		return
	}
	shift := stats.HodgesLehmann(before, now, confidence).Estimate
	a, b := stats.Quantile(before, 0.5), stats.Quantile(now, 0.5)
	ratio := math.Max(a, b) / math.Max(1, math.Min(a, b))
	c.add(about, change, ranks.PValue, math.Abs(ranks.Superiority-0.5) >= minSuperiority-0.5 &&
		ratio >= c.options.MinRatio && math.Abs(shift) >= float64(c.options.MinChange))
}

// askCalls compares the calls per trace, over all traces of both sides.
func (c *comparison) askCalls(about string, now, before *tally) {
	a, b := before.counts(c.before.traces), now.counts(c.now.traces)
	ranks := stats.MannWhitney(a, b)
	meanA, meanB := mean(a), mean(b)
	change := MoreCalls
	if meanB < meanA {
		change = FewerCalls
	}
	low, high := math.Min(meanA, meanB), math.Max(meanA, meanB)
	c.add(about, change, ranks.PValue, high >= minCallRatio*low && high-low >= minCallChange)
}

// counts is the calls of every trace, ascending.
func (t *tally) counts(traces int) []float64 {
	counts := make([]float64, 0, traces)
	for range traces - len(t.perTrace) {
		counts = append(counts, 0)
	}
	for _, held := range t.perTrace {
		counts = append(counts, float64(held.calls))
	}
	slices.Sort(counts)
	return counts
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	return sum / math.Max(1, float64(len(values)))
}

// gravity orders changes.
var gravity = []Change{MoreErrors, Slower, New, Gone, MoreCalls, FewerCalls, FewerErrors, Faster}

// decide controls the false discovery rate over all questions and keeps the
// changes that are also large enough, the gravest first.
func (c *comparison) decide() map[string][]Change {
	pValues := make([]float64, len(c.questions))
	for i := range c.questions {
		pValues[i] = c.questions[i].pValue
	}
	changes := map[string][]Change{}
	moreCalls := map[string]bool{}
	for i, adjusted := range stats.BenjaminiHochberg(pValues) {
		if q := &c.questions[i]; q.large && adjusted <= c.options.FalseDiscoveryRate {
			changes[q.about] = append(changes[q.about], q.change)
		}
		if q := &c.questions[i]; q.large && q.change == MoreCalls {
			moreCalls[q.about] = true
		}
	}
	for about := range changes {
		// The further calls are others, and shorter. That holds before their
		// number is certain.
		if moreCalls[about] {
			changes[about] = slices.DeleteFunc(changes[about], func(c Change) bool { return c == Faster })
		}
		slices.SortFunc(changes[about], func(a, b Change) int { return slices.Index(gravity, a) - slices.Index(gravity, b) })
	}
	return changes
}
