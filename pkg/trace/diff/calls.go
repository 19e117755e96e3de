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
	present         int  // requests with the path
	steady          bool // once per caller, always
}

func (c *callCounts) read(p *population, calls, callers []call) {
	*c = callCounts{counts: c.counts[:0], callers: c.callers[:0], steady: true}
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

// minPresence is the least share of requests that a new or gone path must have
// on the side where it occurs.
const minPresence = 0.05

// askCalls tests whether the caller calls the path more or less often, not at
// all any more, or for the first time.
func (q *question) askCalls(before, after *callCounts) {
	if len(before.counts) < q.options.MinTraces || len(after.counts) < q.options.MinTraces ||
		before.steady && after.steady {
		return
	}
	first, second := before.presence(), after.presence()
	switch {
	case first.Successes == 0 && second.Successes == 0:
		return
	case first.Successes == 0:
		q.askPresence(New, first, second, second)
		return
	case second.Successes == 0:
		q.askPresence(Gone, first, second, first)
		return
	}
	a, b := before.perCaller(), after.perCaller()
	ranks := stats.MannWhitney(a, b)
	q.ask(Calls, structure, ranks.PValue, func(t *test) {
		t.effect = stats.RateRatio(before.counts, before.callers, after.counts, after.callers, confidence)
		t.worse = t.effect.Estimate > 1
		medians := stats.Quantile(b, 0.5) - stats.Quantile(a, 0.5)
		means := mean(b) - mean(a)
		t.large = apart(t.effect.Estimate, q.options.MinCallRatio) && (math.Abs(means) >= 1 || math.Abs(medians) >= 0.5)
	})
}

func (q *question) askPresence(aspect Aspect, before, after, with stats.Proportion) {
	without := before.Trials
	if aspect == Gone {
		without = after.Trials
	}
	q.ask(aspect, structure, stats.FisherMidP(before, after), func(t *test) {
		interval := stats.Wilson(with, confidence)
		t.effect = interval
		t.large = without >= q.options.MinTracesForNew && interval.Estimate >= minPresence
	})
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
