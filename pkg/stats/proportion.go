package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
)

// Proportion is a number of successes among a number of trials.
type Proportion struct{ Successes, Trials int }

// Rate is the share of successes, 0 without trials.
func (p Proportion) Rate() float64 {
	if p.Trials == 0 {
		return 0
	}
	return float64(p.Successes) / float64(p.Trials)
}

// FisherMidP tests whether two proportions differ, given the margins: twice
// the smaller one-sided mid-p value of the hypergeometric distribution (the
// "central" method of Fay 2010, Biostatistics 11:373, with Lancaster's
// mid-p).
// Two-sided; 1 where one side has no trials.
func FisherMidP(a, b Proportion) float64 {
	if a.Trials <= 0 || b.Trials <= 0 {
		return 1
	}
	n, m := float64(a.Trials), float64(b.Trials)
	successes, observed := float64(a.Successes+b.Successes), float64(b.Successes)
	at := math.Exp(combin.LogGeneralizedBinomial(m, observed) + combin.LogGeneralizedBinomial(n, successes-observed) -
		combin.LogGeneralizedBinomial(n+m, successes))
	below, above := at/2, at/2
	for k, term := observed, at; term > below*1e-17; k-- {
		term *= k * (n - successes + k) / ((successes - k + 1) * (m - k + 1))
		below += term
	}
	for k, term := observed, at; term > above*1e-17; k++ {
		term *= (successes - k) * (m - k) / ((k + 1) * (n - successes + k + 1))
		above += term
	}
	return math.Min(1, 2*math.Min(below, above))
}

// Wilson is the score interval of a proportion (Wilson 1927).
func Wilson(p Proportion, confidence float64) Interval {
	if p.Trials <= 0 {
		return Interval{Lower: 0, Upper: 1}
	}
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	n, rate := float64(p.Trials), p.Rate()
	centre := (rate + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(rate*(1-rate)/n+z*z/(4*n*n))
	return Interval{Estimate: rate, Lower: math.Max(0, centre-half), Upper: math.Min(1, centre+half)}
}

// Newcombe is the interval of the difference b−a of two proportions: the
// square-and-add method on Wilson's limits (Newcombe 1998, Statistics in
// Medicine 17:873, method 10).
func Newcombe(a, b Proportion, confidence float64) Interval {
	first, second := Wilson(a, confidence), Wilson(b, confidence)
	difference := b.Rate() - a.Rate()
	return Interval{
		Estimate: difference,
		Lower:    difference - math.Hypot(b.Rate()-second.Lower, first.Upper-a.Rate()),
		Upper:    difference + math.Hypot(second.Upper-b.Rate(), a.Rate()-first.Lower),
	}
}
