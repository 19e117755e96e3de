package canary

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// E-values stay valid however often one looks: where the hypothesis holds, the
// probability that one ever reaches x is at most 1/x (Ville's inequality; Ramdas
// et al. 2023, Statistical Science 38:576). A mean of e-values is one again, so
// that each is a mixture over how large the effect may be. Counts that vary more
// than independent ones weigh less: the logarithm is divided by their dispersion
// (quasi-likelihood; exact where errors come in clusters of that size).

// riskRatios are how many times as often a worse candidate may go wrong.
var riskRatios = [8]float64{1.25, 1.5, 2, 3, 5, 10, 30, 100}

// lesserRates are what part of the acceptable rate a sound candidate may have.
var lesserRates = []float64{0, 0.25, 0.5, 0.75, 0.9}

// severeOdds are how many times the tolerated odds a candidate may have that is
// broken.
var severeOdds = [4]float64{1.5, 2, 4, 20}

// worse is the e-value against "the candidate goes wrong no more often than the
// baseline", without the time in which it starts and without incidents of the
// baseline. Of the bad requests of one cell the candidate then has no more than
// its measured share of the traffic. Cells multiply, so that neither a share
// that grows step by step nor an error rate that follows the time of day looks
// like a difference. Where the strongest periods stand out, so many count no
// more than the one after them.
func worse(kept []slice, dispersion float64, excused int) float64 {
	var judged []judgedPeriod
	for _, s := range kept {
		if one := s.judged(); one.requests > 0 && !s.incident() {
			judged = append(judged, one)
		}
	}
	if excused >= len(judged) {
		return 1
	}
	if excused > 0 {
		slices.SortFunc(judged, func(a, b judgedPeriod) int { return compare(b.logarithms[middleRatio], a.logarithms[middleRatio]) })
		var rest Tally
		for _, one := range judged[excused:] {
			rest = rest.plus(Tally{one.bad, one.requests})
		}
		for i, one := range judged[:excused] {
			expected := rest.Rate() * one.requests
			if one.bad-expected > standsOut*math.Sqrt(dispersion*math.Max(expected, 1)) {
				judged[i] = judged[excused]
			}
		}
	}
	sums := make([]float64, len(riskRatios))
	for _, one := range judged {
		floats.Add(sums, one.logarithms[:])
	}
	return mixture(sums, dispersion)
}

// judgedPeriod is what a period says of each of riskRatios, and what of the
// candidate's requests it rests on.
type judgedPeriod struct {
	logarithms    [8]float64
	bad, requests float64
}

func (s slice) judged() (one judgedPeriod) {
	for _, c := range s.cells {
		if c.starting {
			continue
		}
		one.bad, one.requests = one.bad+c.candidate.Bad, one.requests+c.candidate.Requests
		share := c.ratio * c.candidate.Requests / (c.ratio*c.candidate.Requests + c.baseline.Requests)
		bad := c.candidate.Bad + c.baseline.Bad
		if bad == 0 {
			continue
		}
		for i, ratio := range riskRatios {
			one.logarithms[i] += c.candidate.Bad*logRatios[i] - bad*math.Log1p(share*(ratio-1))
		}
	}
	return one
}

const (
	// middleRatio ranks periods by how strongly they speak for this ratio.
	middleRatio = 2
	// standsOut is by how many standard deviations a period differs from the
	// candidate's others that is a burst.
	standsOut = 4
)

var logRatios = func() []float64 {
	logs := make([]float64, len(riskRatios))
	for i, ratio := range riskRatios {
		logs[i] = math.Log(ratio)
	}
	return logs
}()

// severe is the e-value against "in no period does the candidate go wrong more
// often than even a version that starts, or meets a burst, does". It is the
// highest that it has been, with how many periods that took: a candidate that was
// broken stays so.
func severe(kept []slice, dispersion float64) (highest float64, periods int) {
	var sums, scratch [4]float64
	highest, periods = 1, len(kept)
	for at, s := range kept {
		if s.tolerated >= 1 {
			continue
		}
		var t Tally
		for _, c := range s.cells {
			t = t.plus(c.candidate)
		}
		for i, odds := range severeOdds {
			rate := odds * s.tolerated / (1 + (odds-1)*s.tolerated)
			sums[i] += t.Bad*math.Log(rate/s.tolerated) + (t.Requests-t.Bad)*math.Log((1-rate)/(1-s.tolerated))
		}
		if scratch = sums; slices.Max(sums[:]) <= 0 {
			continue
		}
		if now := mixture(scratch[:], dispersion); now > highest {
			highest, periods = now, at+1
		}
	}
	return highest, periods
}

// sound is the e-value against "the candidate's rate exceeds the baseline's by
// the margin or more". expected are the bad requests that it would have at the
// baseline's rates of the same times and kinds; for these stands the lower 95 %
// limit.
func sound(e effect, margin, dispersion float64) float64 {
	if e.candidate.Requests <= 0 {
		return 1
	}
	limit := e.expected + margin*e.candidate.Requests
	if rate := e.baseline.Rate(); rate > 0 {
		limit -= e.expected * (1 - lowerRate(e.baseline, dispersion)/rate)
	}
	logarithms := make([]float64, len(lesserRates))
	for i, part := range lesserRates {
		logarithms[i] = (1 - part) * limit
		if e.candidate.Bad > 0 {
			logarithms[i] += e.candidate.Bad * math.Log(part)
		}
	}
	return mixture(logarithms, dispersion)
}

// effect is how much worse a candidate is in cells: stratified, so that what
// differs between periods and kinds of requests is no effect.
type effect struct {
	baseline, candidate Tally
	// expected are the candidate's bad requests at the baseline's rates.
	expected float64
	// logRatio is that of the rates (Mantel and Haenszel), excess the difference;
	// error is the standard error of logRatio.
	logRatio, excess, error float64
}

// part is which of the candidate's time an effect is of.
type part int

const (
	everything part = iota
	running         // without the time in which it starts, and what is allowed of it soon after
	grown           // without the time in which anything is allowed of it
)

func (p part) has(c cell) bool {
	return p == everything || !c.starting && (p == running || c.ratio <= 1)
}

func effectIn(kept []slice, of part, dispersion float64) (e effect) {
	var weighted, expected float64 // bad requests of both versions, by Mantel–Haenszel's weights
	var weights float64
	for _, s := range kept {
		for _, c := range s.cells {
			if !of.has(c) {
				continue
			}
			e.baseline, e.candidate = e.baseline.plus(c.baseline), e.candidate.plus(c.candidate)
			e.expected += c.baseline.Rate() * c.candidate.Requests
			all := c.baseline.Requests + c.candidate.Requests
			weighted += c.candidate.Bad * c.baseline.Requests / all
			ratio := s.ratio
			if of != everything {
				ratio *= c.ratio
			}
			expected += ratio * c.baseline.Bad * c.candidate.Requests / all
			weights += c.baseline.Requests * c.candidate.Requests / all
		}
	}
	if weights <= 0 {
		return e
	}
	// Half a bad request stands for none.
	half := 0.5 * weights / (e.baseline.Requests + e.candidate.Requests)
	e.logRatio = math.Log((weighted + half) / (expected + half))
	e.excess = (weighted - expected) / weights
	e.error = math.Sqrt(dispersion * (1/(e.candidate.Bad+0.5) + 1/(e.baseline.Bad+0.5)))
	return e
}

// minExcess is what is left of the excess when the ratio is one standard error
// smaller.
func (e effect) minExcess() float64 {
	ratio := math.Exp(e.logRatio)
	if ratio <= 1 {
		return e.excess
	}
	return e.excess * (math.Exp(e.logRatio-e.error) - 1) / (ratio - 1)
}

// mixture is the mean over alternatives of what has these logarithms, each
// divided by the dispersion; at most e⁷⁰⁰, so that it stays finite. It changes
// the logarithms.
func mixture(logarithms []float64, dispersion float64) float64 {
	floats.Scale(1/dispersion, logarithms)
	return math.Exp(math.Min(700, floats.LogSumExp(logarithms)-math.Log(float64(len(logarithms)))))
}
