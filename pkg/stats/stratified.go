package stats

import "math"

// Samples are the two samples of one stratum, each in ascending order.
type Samples struct{ X, Y []float64 }

// Weight is what a stratum contributes to a stratified comparison: nearly the
// information that its two samples hold about a shift.
func (s Samples) Weight() float64 {
	n, m := float64(len(s.X)), float64(len(s.Y))
	return n * m / (n + m + 1)
}

// VanElteren tests whether y tends to larger or smaller values than x within
// strata, whatever the differences between strata: Mann–Whitney's statistics
// weighed by 1/(N+1), which is locally most powerful where the shift is the
// same in all strata (van Elteren 1960; Lehmann, Nonparametrics, section 3.3).
// Normal approximation with correction for ties. Superiority is the weighed
// mean over strata. A stratum with an empty sample says nothing.
func VanElteren(strata []Samples) RankTest {
	distance, variance, superiority, weights := 0.0, 0.0, 0.0, 0.0
	for _, s := range strata {
		n, m := len(s.X), len(s.Y)
		if n == 0 || m == 0 {
			continue
		}
		rankSum, ties := rankSumAscending(s.X, s.Y)
		u, pairs := rankSum-float64(m)*float64(m+1)/2, float64(n)*float64(m)
		weight := 1 / float64(n+m+1)
		distance += weight * (u - pairs/2)
		variance += weight * weight * rankVariance(n, m, ties)
		superiority += s.Weight() * u / pairs
		weights += s.Weight()
	}
	test := RankTest{Superiority: 0.5, PValue: 1}
	if weights > 0 {
		test.Superiority = superiority / weights
	}
	if variance > 0 {
		test.PValue = twoSidedNormal(distance / math.Sqrt(variance))
	}
	return test
}

// Pair is a proportion before and after, of one stratum.
type Pair struct{ X, Y Proportion }

// StratifiedMidP tests whether proportions differ within strata: the exact
// conditional test of the common odds ratio (Birch 1964; Agresti, Categorical
// Data Analysis, section 7.3), the total of y's successes against the
// convolution of the strata's hypergeometric distributions; twice the smaller
// one-sided mid-p value. Of one stratum it is FisherMidP.
func StratifiedMidP(strata []Pair) float64 {
	distribution, observed := []float64{1}, 0
	for _, s := range strata {
		if s.X.Trials <= 0 || s.Y.Trials <= 0 {
			continue
		}
		low, weights := hypergeometric(s)
		next := make([]float64, len(distribution)+len(weights)-1)
		for i, held := range distribution {
			for j, weight := range weights {
				next[i+j] += held * weight
			}
		}
		distribution, observed = next, observed+s.Y.Successes-low
	}
	below, above := distribution[observed]/2, distribution[observed]/2
	for i, weight := range distribution {
		switch {
		case i < observed:
			below += weight
		case i > observed:
			above += weight
		}
	}
	return math.Min(1, 2*math.Min(below, above)/(below+above))
}

// hypergeometric is the distribution of y's successes given the margins, from
// the least possible number on.
func hypergeometric(s Pair) (low int, weights []float64) {
	n, m, successes := s.X.Trials, s.Y.Trials, s.X.Successes+s.Y.Successes
	low = max(0, successes-n)
	high := min(m, successes)
	weights = make([]float64, high-low+1)
	logarithm, sum := 0.0, 0.0 // relative to the most likely number, so that nothing overflows
	logs := make([]float64, len(weights))
	for k := low; k < high; k++ {
		logarithm += math.Log(float64(m-k)*float64(successes-k)) - math.Log(float64(k+1)*float64(n-successes+k+1))
		logs[k+1-low] = logarithm
	}
	largest := math.Inf(-1)
	for _, value := range logs {
		largest = math.Max(largest, value)
	}
	for i, value := range logs {
		weights[i] = math.Exp(value - largest)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return low, weights
}
