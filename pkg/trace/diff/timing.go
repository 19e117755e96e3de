package diff

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// resolution is added to durations before their logarithm is taken, so that
// zeros have one; nanoseconds.
const resolution = 1000

// askTimings tests whether calls take longer or shorter: as a whole, in the
// path itself, and between client and server; and whether the slowest do.
func (q *question) askTimings() {
	a, b := q.baseline, q.candidate
	if a.present < q.options.MinOccurrences || b.present < q.options.MinOccurrences {
		return
	}
	q.askShift(Latency, a.durations, b.durations, durationOf)
	q.askShift(SelfTime, a.selfs, b.selfs, selfOf)
	if len(a.gaps) > 0 && len(b.gaps) > 0 {
		q.askShift(Gap, a.gaps, b.gaps, gapOf)
	}
	if a.present < q.options.MinTraces || b.present < q.options.MinTraces {
		return
	}
	q.askTail(Tail, a.durations, b.durations, durationOf)
	q.askTail(OwnTail, a.owns, b.owns, ownOf)
}

// askShift is the Mann–Whitney test; the effect is the Hodges–Lehmann ratio.
func (q *question) askShift(aspect Aspect, a, b []float64, value func(*call) int64) {
	ranks := stats.MannWhitney(a, b)
	scores := func(add func(uint8, float64)) {
		q.baseline.eachRequest(value, func(request int32, mean float64) {
			add(q.blocks[request], rankOf(mean, a)+rankOf(mean, b))
		})
	}
	q.ask(aspect, timings, ranks.PValue, stats.Information(len(a), len(b)), ranks.Superiority > 0.5, scores, func(t *hypothesis) {
		t.effect = ratio(a, b)
		change := stats.HodgesLehmann(a, b, confidence).Estimate * q.candidate.callsPerOccurrence()
		t.large = math.Abs(ranks.Superiority-0.5) >= q.options.MinSuperiority-0.5 &&
			apart(t.effect.Estimate, q.options.MinRatio) && excludesOne(t.effect) && math.Abs(change) >= q.minChange
	})
}

// excludesOne says that an interval of a ratio leaves no change out.
func excludesOne(ratio stats.Interval) bool { return ratio.Lower > 1 || ratio.Upper < 1 }

// rankOf is how many ascending values are smaller, ties counted half.
func rankOf(value float64, ascending []float64) float64 {
	below := sort.SearchFloat64s(ascending, value)
	return float64(below+len(ascending)-countAbove(ascending, value)) / 2
}

// ratio is the Hodges–Lehmann shift of the logarithms, as a ratio.
func ratio(a, b []float64) stats.Interval {
	shift := stats.HodgesLehmann(logarithms(a), logarithms(b), confidence)
	return stats.Interval{
		Estimate: math.Exp(shift.Estimate), Lower: math.Exp(shift.Lower), Upper: math.Exp(shift.Upper),
	}
}

func logarithms(durations []float64) []float64 {
	logs := make([]float64, len(durations))
	for i, duration := range durations {
		logs[i] = math.Log(duration + resolution)
	}
	return logs
}

// apart says whether a ratio is at least the minimum, up or down.
func apart(ratio, minimum float64) bool { return ratio >= minimum || ratio <= 1/minimum }

// askTail compares how often both sides exceed the pooled 90th percentile.
// Where both populations are alike every request is as likely as any other to
// be among the slowest tenth, so the exact test of the two counts is valid
// whatever the distribution (the median test of Mood and Brown, at another
// quantile). The effect is the ratio of the 95th percentiles.
func (q *question) askTail(aspect Aspect, a, b []float64, value func(*call) int64) {
	threshold := pooledQuantile(a, b, 0.9)
	slowA := stats.Proportion{Successes: countAbove(a, threshold), Trials: len(a)}
	slowB := stats.Proportion{Successes: countAbove(b, threshold), Trials: len(b)}
	scores := func(add func(uint8, float64)) {
		q.baseline.eachRequest(value, func(request int32, mean float64) {
			add(q.blocks[request], float64(one(mean > threshold)))
		})
	}
	q.ask(aspect, tails, stats.FisherMidP(slowA, slowB), stats.Information(len(a), len(b)), slowB.Rate() > slowA.Rate(), scores, func(t *hypothesis) {
		first, second := tailInterval(a, confidence), tailInterval(b, confidence)
		t.effect = ratioOf(first, second)
		change := (second.Estimate - first.Estimate) * q.candidate.callsPerOccurrence()
		t.large = apart(t.effect.Estimate, q.options.MinRatio) && excludesOne(t.effect) &&
			t.effect.Estimate > 1 == t.worse && math.Abs(change) >= q.minChange
	})
}

// pooledQuantile is the order statistic of two ascending samples together.
func pooledQuantile(a, b []float64, q float64) float64 {
	rank := int(math.Ceil(q*float64(len(a)+len(b)))) - 1
	i, j := 0, 0
	for {
		fromA := j == len(b) || i < len(a) && a[i] <= b[j]
		if i+j == rank {
			if fromA {
				return a[i]
			}
			return b[j]
		}
		if fromA {
			i++
		} else {
			j++
		}
	}
}

func countAbove(ascending []float64, threshold float64) int {
	return len(ascending) - sort.Search(len(ascending), func(i int) bool { return ascending[i] > threshold })
}

// tailInterval is the 95th percentile with the interval of the order
// statistics (binomial, normal approximation; Conover, Practical
// Nonparametric Statistics, section 3.2).
func tailInterval(ascending []float64, confidence float64) stats.Interval {
	const q = 0.95
	n := float64(len(ascending))
	half := distuv.UnitNormal.Quantile((1+confidence)/2) * math.Sqrt(n*q*(1-q))
	at := func(rank float64) float64 {
		return ascending[min(max(int(math.Ceil(rank))-1, 0), len(ascending)-1)]
	}
	return stats.Interval{Estimate: stats.Quantile(ascending, q), Lower: at(n*q - half), Upper: at(n*q + half)}
}

// ratioOf combines two intervals into that of their ratio, on logarithms by
// squares (Zou and Donner 2008).
func ratioOf(a, b stats.Interval) stats.Interval {
	logOf := func(duration float64) float64 { return math.Log(duration + resolution) }
	estimate := logOf(b.Estimate) - logOf(a.Estimate)
	down := math.Hypot(logOf(b.Estimate)-logOf(b.Lower), logOf(a.Upper)-logOf(a.Estimate))
	up := math.Hypot(logOf(b.Upper)-logOf(b.Estimate), logOf(a.Estimate)-logOf(a.Lower))
	return stats.Interval{
		Estimate: math.Exp(estimate), Lower: math.Exp(estimate - down), Upper: math.Exp(estimate + up),
	}
}
