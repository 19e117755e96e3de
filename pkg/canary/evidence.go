package canary

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat/distuv"
)

// E-values stay valid however often one looks: where the hypothesis holds, the
// probability that one ever reaches x is at most 1/x (Ville's inequality; Ramdas
// et al. 2023, Statistical Science 38:576). A mean of e-values is one again, so
// that each is a mixture over how large the effect may be.

// riskRatios are how many times as often a worse candidate may go wrong.
var riskRatios = []float64{1.25, 1.5, 2, 3, 5, 10, 30, 100}

// lesserRates are what part of the acceptable rate a sound candidate may have.
var lesserRates = []float64{0, 0.25, 0.5, 0.75, 0.9}

// together keeps the periods with sound counts in which both versions served:
// only they can tell the versions apart from the time of day.
func together(periods []Period) (kept []Period) {
	usable := func(t Tally) bool {
		return t.Requests > 0 && t.Bad >= 0 && t.Bad <= t.Requests && !math.IsInf(t.Requests, 1)
	}
	for _, p := range periods {
		if usable(p.Baseline) && usable(p.Candidate) {
			kept = append(kept, p)
		}
	}
	return kept
}

// worse is the e-value against "the candidate goes wrong no more often than the
// baseline". Of the bad requests of one period the candidate then has no more
// than its measured share of the traffic. Periods multiply, so that neither a
// share that grows step by step nor an error rate that follows the time of day
// looks like a difference.
func worse(periods []Period) float64 {
	return mixture(riskRatios, func(ratio float64) (logarithm float64) {
		for _, p := range periods {
			share := p.Candidate.Requests / (p.Candidate.Requests + p.Baseline.Requests)
			all := math.Log1p(share * (ratio - 1))
			logarithm += p.Candidate.Bad*math.Log(ratio) - (p.Candidate.Bad+p.Baseline.Bad)*all
		}
		return logarithm
	})
}

// sound is the e-value against "the candidate's rate exceeds the baseline's by
// the margin or more"; for the baseline's rate stands its lower 95 % limit
// (Wilson).
func sound(baseline, candidate Tally, margin float64) float64 {
	if candidate.Requests <= 0 || baseline.Requests <= 0 {
		return 1
	}
	lower := stats.Wilson(stats.Proportion{Successes: int(baseline.Bad), Trials: int(baseline.Requests)}, 0.9).Lower
	limit := math.Min(lower+margin, 1)
	if !(limit > 0 && limit < 1) {
		return 1
	}
	return mixture(lesserRates, func(part float64) float64 {
		rate := part * limit
		logarithm := (candidate.Requests - candidate.Bad) * (math.Log1p(-rate) - math.Log1p(-limit))
		if candidate.Bad > 0 {
			logarithm += candidate.Bad * math.Log(part)
		}
		return logarithm
	})
}

// mixture is the mean over alternatives of what has these logarithms; at most
// e⁷⁰⁰, so that it stays finite.
func mixture(alternatives []float64, logarithm func(float64) float64) float64 {
	terms := make([]float64, len(alternatives))
	for i, alternative := range alternatives {
		terms[i] = logarithm(alternative)
	}
	return math.Exp(math.Min(700, floats.LogSumExp(terms)-math.Log(float64(len(terms)))))
}

// Power is the probability that a candidate with this share of the traffic,
// whose requests go wrong ratio times as often, fails by the time that both
// versions have served so many requests: the normal approximation to the
// evidence of the likeliest alternative, which looks on the way only raise.
// baseline is the rate of bad requests; threshold that of the e-value.
func Power(requests, share, baseline, ratio, threshold float64) float64 {
	if !(requests > 0 && share > 0 && share < 1 && baseline > 0 && ratio > 1) {
		return 0
	}
	all := math.Log1p(share * (ratio - 1))
	ofCandidate, ofBaseline := math.Log(ratio)-all, -all
	candidateBad, baselineBad := requests*share*ratio*baseline, requests*(1-share)*baseline
	mean := candidateBad*ofCandidate + baselineBad*ofBaseline
	deviation := math.Sqrt(candidateBad*ofCandidate*ofCandidate + baselineBad*ofBaseline*ofBaseline)
	needed := math.Log(threshold * float64(len(riskRatios)))
	return distuv.UnitNormal.CDF((mean - needed) / deviation)
}

// Step is one share of a progressive delivery with the power to fail, during
// it, a candidate with DetectableRatio times the bad requests.
type Step struct{ Share, Power float64 }

// DetectableRatio is the rise in bad requests for which the power of steps is
// stated.
const DetectableRatio = 3

// Steps are the usual shares of a progressive delivery, each with its power
// where both versions serve so many requests during it.
func Steps(requests, baseline, threshold float64) (steps []Step) {
	for _, share := range []float64{0.01, 0.02, 0.05, 0.1, 0.25, 0.5} {
		steps = append(steps, Step{share, Power(requests, share, baseline, DetectableRatio, threshold)})
	}
	return steps
}
