package canary

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// What pods of one version differ by, or a version from itself an hour ago, does
// not average out over requests: one pod that goes wrong twice as often as another
// proves nothing about its version, however many requests it serves. The variance
// of the logarithm of the rate that lasts is read off the past, and some of it is
// assumed where the past cannot show that there is none.

const (
	// enoughBad is how many bad requests a block holds at least, on average,
	// from which a lasting spread is read.
	enoughBad = 10
	// fewFreedoms makes a spread larger by as much as it may be underestimated
	// from few pods or few blocks.
	fewFreedoms = 6
	// allanPart is what part of the variance of a drift the differences of
	// neighbouring blocks show, at the length of blocks at which they show most
	// (of an Ornstein–Uhlenbeck process, at twice its time of correlation).
	allanPart = 0.38
	// podDeviation is that of pods of one version which is always assumed.
	podDeviation = 0.1
	// fewPods is how many pods a version with all the traffic has where pods are
	// not told apart; their deviation is larger by untoldPods then, and up to
	// shortPast times as large where less than longPast periods were watched.
	fewPods    = 10
	untoldPods = 2.9
	shortPast  = 1.6
	longPast   = 60
	// maxUnsure is the largest variance between pods that a handful of bad requests
	// is believed to show: their rates then differ by a factor e. One bad request
	// more or less would otherwise decide how sure a verdict is.
	maxUnsure = 1
)

// spreadOfPods is the variance between pods that lasts: the dispersion of long
// blocks beyond that of periods, since noise that averages out has the same in
// both. What is within one standard error of that does not count.
func spreadOfPods(pods [][]Tally) (spread float64) {
	short, shortBad, _ := dispersionBetween(pods, 1)
	short = math.Max(short, 1)
	longest := len(pods[0]) / 4
	for length := 4; length <= longest; length *= 2 {
		long, bad, freedoms := dispersionBetween(pods, length)
		if bad >= enoughBad || length*2 > longest {
			spread = math.Max(spread, lastingPart(short, long, shortBad, bad, freedoms))
		}
	}
	return spread * (1 + fewFreedoms/float64(len(pods)-1))
}

// spreadOfVersion is the same of a version whose pods cannot be distinguished, from
// neighbouring blocks. Few says that it rests on blocks with hardly a bad request.
func spreadOfVersion(total []Tally) (spread float64, few bool) {
	short, _ := pairedDispersion(total, 1)
	short = math.Max(short, 1)
	each := mean(total, func(t Tally) float64 { return t.Bad })
	longest := len(total) / 4
	for length := 4; length <= longest; length *= 2 {
		bad := float64(length) * each
		if bad < enoughBad && length*2 <= longest {
			continue
		}
		long, pairs := pairedDispersion(total, length)
		one := lastingPart(short, long, each, bad, pairs) / allanPart
		spread = math.Max(spread, one*(1+fewFreedoms/math.Max(pairs, 1)))
		few = bad < enoughBad
	}
	return spread, few
}

// lastingPart is the variance of the logarithm of a rate by which blocks with so
// many bad requests vary more than periods do.
func lastingPart(short, long, shortBad, bad, freedoms float64) float64 {
	usual := short * (1 + math.Sqrt(2/math.Max(freedoms, 1)))
	if bad <= shortBad {
		return 0
	}
	return (long - usual) / (bad - shortBad)
}

// lasting is the variance of the logarithm of the ratio of two versions' rates
// that their pods alone make: of so many pods, or of so many requests a period.
// deviation is what pods are assumed to differ by at least.
func (n Noise) lasting(deviation, candidatePods, baselinePods, candidateRequests, baselineRequests float64) float64 {
	if n.byPod && candidatePods > 0 && baselinePods > 0 {
		return math.Max(n.spread, deviation*deviation) * (1/candidatePods + 1/baselinePods)
	}
	deviation *= untoldPods * (1 + (shortPast-1)*math.Max(0, 1-n.watched/longPast))
	podsOf := func(requests float64) float64 {
		return math.Max(1, fewPods*requests/(candidateRequests+baselineRequests))
	}
	assumed := deviation * deviation * (1/podsOf(candidateRequests) + 1/podsOf(baselineRequests))
	if n.byPod {
		return math.Max(n.spread, assumed)
	}
	// Pods that differ by themselves average out over a version in proportion to
	// its traffic.
	scale := n.requests/math.Max(candidateRequests, 1) + n.requests/math.Max(baselineRequests, 1)
	spread := n.spread * scale
	if n.fewBad {
		spread = math.Min(spread, maxUnsure*(1/podsOf(candidateRequests)+1/podsOf(baselineRequests)))
	}
	return math.Max(spread, assumed)
}

// independentTimes is how many times over the watch of a canary pods that drift
// are as good as drawn anew: its mean moves ever more slowly.
const independentTimes = 5

// beyondPods is the evidence against "the version's pods differ as pods do", whose
// logarithms have this variance: the inverse of its p-value at every time at
// which they are drawn anew. It grows with the number of pods, and not with that
// of requests.
func (e effect) beyondPods(lasting, dispersion float64) float64 {
	// That the baseline's rate is not known exactly is borne by the ratio: it
	// may be nought.
	ratio := e.logRatio - math.Log1p(math.Sqrt(dispersion/(e.baseline.Bad+0.5)))
	deviations := ratio / math.Sqrt(lasting+dispersion/(e.candidate.Bad+0.5))
	return 1 / (independentTimes * math.Max(distuv.UnitNormal.Survival(deviations), math.Exp(-690)))
}
