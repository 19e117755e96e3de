package diff

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// callCounts is how often a path was called in each request in which its
// caller occurs, and how often the caller was. Requests with missing parts are
// left out: what is not there says nothing.
type callCounts struct {
	counts, callers []float64
	requests        []int32
	present         int  // requests with the path
	steady          bool // once per caller, always
}

func (c *callCounts) read(p *population, calls, callers []call) {
	*c = callCounts{counts: c.counts[:0], callers: c.callers[:0], requests: c.requests[:0], steady: true}
	at := 0
	for start := 0; start < len(callers); {
		request := callers[start].request
		end := start
		for end < len(callers) && callers[end].request == request {
			end++
		}
		for at < len(calls) && calls[at].request < request {
			at++
		}
		first := at
		for at < len(calls) && calls[at].request == request {
			at++
		}
		if !p.requests[request].fragmented {
			c.counts = append(c.counts, float64(at-first))
			c.callers = append(c.callers, float64(end-start))
			c.requests = append(c.requests, request)
			c.present += one(at > first)
			c.steady = c.steady && at-first == end-start
		}
		start = end
	}
}

// perCaller are the calls per call of the caller, ascending.
func (c *callCounts) perCaller() []float64 {
	ratios := make([]float64, len(c.counts))
	for i := range ratios {
		ratios[i] = c.counts[i] / c.callers[i]
	}
	slices.Sort(ratios)
	return ratios
}

func (c *callCounts) presence() stats.Proportion {
	return stats.Proportion{Successes: c.present, Trials: len(c.counts)}
}

// A new or gone path must have at least the share minPresence of requests on
// the side where it occurs; with few requests on the side where it does not,
// the difference must surely exceed surePresence.
const minPresence, surePresence = 0.05, 0.5

// askCalls tests whether the caller calls the path more or less often, not at
// all any more, or for the first time.
func (q *question) askCalls(c *comparison, before, after *callCounts) {
	if min(len(before.counts), len(after.counts)) < minExact ||
		before.steady && after.steady {
		return
	}
	first, second := before.presence(), after.presence()
	switch {
	case first.Successes == 0 && second.Successes == 0:
		return
	case first.Successes == 0:
		q.askPresence(New, before, first, second)
		return
	case second.Successes == 0:
		q.askPresence(Gone, before, first, second)
		return
	}
	a, b := before.perCaller(), after.perCaller()
	ranks := stats.MannWhitney(a, b)
	scores := func(add func(uint8, float64)) {
		for i, request := range before.requests {
			ratio := before.counts[i] / before.callers[i]
			add(q.blocks[request], rankOf(ratio, a)+rankOf(ratio, b))
		}
	}
	q.ask(Calls, structure, ranks.PValue, stats.Information(len(a), len(b)), ranks.Superiority > 0.5, scores, func(t *hypothesis) {
		t.effect = stats.RateRatio(before.counts, before.callers, after.counts, after.callers, confidence)
		medians := stats.Quantile(b, 0.5) - stats.Quantile(a, 0.5)
		means := mean(b) - mean(a)
		// That more or fewer requests make the call is for askMoved to judge.
		often := mean(positive(b)) / mean(positive(a))
		t.large = apart(t.effect.Estimate, q.options.MinCallRatio) && excludesOne(t.effect) && (math.Abs(means) >= 1 || math.Abs(medians) >= 0.5) &&
			apart(often, q.options.MinCallRatio)
	})
	if !q.tests[len(q.tests)-1].large {
		q.askMoved(c, before, after)
	}
}

func (q *question) askPresence(aspect Aspect, counts *callCounts, before, after stats.Proportion) {
	with, without := after, before
	if aspect == Gone {
		with, without = before, after
	}
	scores := func(add func(uint8, float64)) {
		for i, request := range counts.requests {
			add(q.blocks[request], float64(one(counts.counts[i] > 0)))
		}
	}
	q.ask(aspect, structure, stats.FisherMidP(before, after), stats.Information(before.Trials, after.Trials), aspect == New, scores, func(t *hypothesis) {
		t.effect = stats.Wilson(with, confidence)
		t.large = without.Trials >= q.options.MinTracesForNew && t.effect.Estimate >= minPresence ||
			stats.Newcombe(without, with, confidence).Lower >= surePresence
	})
}

// minExact is the least number of requests on each side for an exact test. Fewer
// could prove a point if they were independent, but they may all come from one
// user.
const minExact = 5

// positive are the ascending values above zero.
func positive(ascending []float64) []float64 {
	return ascending[len(ascending)-countAbove(ascending, 0):]
}

func mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	return sum / float64(len(values))
}
