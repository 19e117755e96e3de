package canary

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Power is the probability that a candidate with this share of the traffic,
// whose requests go wrong ratio times as often, fails by the time that both
// versions have served so many requests: the normal approximation to the
// evidence of the likeliest alternative, which looks on the way only raise.
// baseline is the rate of bad requests; threshold that of the e-value. Counts
// with a dispersion have the power of so many times fewer requests.
func Power(requests, share, baseline, ratio, threshold float64) float64 {
	if !(requests > 0 && share > 0 && share < 1 && baseline > 0 && ratio > 1) {
		return 0
	}
	all := math.Log1p(share * (ratio - 1))
	ofCandidate, ofBaseline := math.Log(ratio)-all, -all
	candidateBad, baselineBad := requests*share*ratio*baseline, requests*(1-share)*baseline
	mean := candidateBad*ofCandidate + baselineBad*ofBaseline
	deviation := math.Sqrt(candidateBad*ofCandidate*ofCandidate + baselineBad*ofBaseline*ofBaseline)
	needed := math.Log(2 * threshold * float64(len(riskRatios)))
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
