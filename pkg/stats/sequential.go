package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Information is how many observations a comparison of n with m is worth: the
// variance of a difference of means is that of one observation, divided by it.
func Information(n, m int) float64 {
	if n <= 0 || m <= 0 {
		return 0
	}
	return float64(n) * float64(m) / float64(n+m)
}

// The error spent over the logarithm u of the information, from the least with
// which anyone would look, falls as exp(−u/spendingScale)/spendingScale.
const (
	minInformation = 4.0
	spendingScale  = 3.0
)

// AlwaysValid turns the two-sided p-value of a test that is repeated while data
// arrive into one that stays valid however often one looks: the probability
// that it ever falls to a or below, for whatever amount of data, is at most a,
// nearly. It is a function of the data seen so far alone; no look needs to be
// remembered.
//
// It spends the error over the information (Lan and DeMets 1983, Biometrika
// 70:659): where a standardised sum is watched, the probability that it exceeds
// z for the first time while the information grows by the factor exp(u) is
//
//	(z²−1)/2 · p(z) · ν(z/√information) · u,
//
// with ν(x) ≈ exp(−0.583 x) for observations that come one by one (Siegmund,
// Sequential Analysis, section 4.2).
func AlwaysValid(pValue, information float64) float64 {
	if pValue >= 1 || !(information > 0) {
		return 1
	}
	z := distuv.UnitNormal.Quantile(math.Max(pValue, 1e-300) / 2)
	information = math.Max(information, minInformation)
	crossings := math.Max(0, z*z-1) / 2 * math.Exp(0.583*z/math.Sqrt(information)) // z is the lower quantile
	scale := spendingScale * math.Pow(information/minInformation, 1/spendingScale)
	return math.Min(1, pValue*(2+crossings*scale))
}
