package stats

import (
	"math"
)

// RankTest is the outcome of a Mann–Whitney test.
type RankTest struct {
	// Superiority is the probability that a value of y exceeds one of x, ties
	// counted half (Vargha and Delaney's A12): 0.5 for no difference.
	Superiority float64
	// PValue is two-sided; 1 where there is nothing to compare.
	PValue float64
	// Exact tells the exact permutation distribution from the normal
	// approximation.
	Exact bool
}

// exactLimit is the size of both samples up to which the permutation
// distribution is enumerated.
const exactLimit = 10

// MannWhitney tests whether y tends to larger or smaller values than x. Both
// samples must be in ascending order and free of NaN.
//
// With more than ten values on either side it uses the normal approximation
// with correction for ties and continuity (Hollander, Wolfe and Chicken,
// Nonparametric Statistical Methods, 3rd ed., section 4.1); below, the exact
// conditional distribution of the rank sum given the ties (Streitberg and
// Röhmel 1986, the shift algorithm).
func MannWhitney(x, y []float64) RankTest {
	n, m := len(x), len(y)
	if n == 0 || m == 0 {
		return RankTest{Superiority: 0.5, PValue: 1}
	}
	rankSum, ties := rankSumAscending(x, y)
	u := rankSum - float64(m)*float64(m+1)/2
	pairs := float64(n) * float64(m)
	test := RankTest{Superiority: u / pairs}
	if n <= exactLimit && m <= exactLimit {
		test.PValue, test.Exact = exactRankSum(x, y, rankSum), true
		return test
	}
	test.PValue = 1
	if variance := rankVariance(n, m, ties); variance > 0 {
		distance := math.Max(0, math.Abs(u-pairs/2)-0.5)
		test.PValue = twoSidedNormal(distance / math.Sqrt(variance))
	}
	return test
}

// twoSidedNormal is the probability of a standard normal value at least z from
// zero; accurate in the far tail.
func twoSidedNormal(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// rankVariance is the variance of U under the null hypothesis, given the sum
// of t³−t over the groups of t tied values.
func rankVariance(n, m int, ties float64) float64 {
	total := float64(n + m)
	return float64(n) * float64(m) / 12 * (total + 1 - ties/(total*(total-1)))
}

// rankSumAscending is the sum of the mid-ranks of y in the pooled sample, and
// the sum of t³−t over the groups of tied values.
func rankSumAscending(x, y []float64) (rankSum, ties float64) {
	forTies(x, y, func(before, fromX, fromY int) {
		size := float64(fromX + fromY)
		rankSum += float64(fromY) * (float64(before) + (size+1)/2)
		ties += size*size*size - size
	})
	return rankSum, ties
}

// forTies visits the distinct values of two ascending samples in order, with
// the number of smaller values and how often each sample holds the value.
func forTies(x, y []float64, visit func(before, fromX, fromY int)) {
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		var value float64
		if j == len(y) || i < len(x) && x[i] <= y[j] {
			value = x[i]
		} else {
			value = y[j]
		}
		startX, startY := i, j
		for i < len(x) && !(x[i] > value) {
			i++
		}
		for j < len(y) && !(y[j] > value) {
			j++
		}
		visit(startX+startY, i-startX, j-startY)
	}
}

// exactRankSum is the two-sided p-value of the rank sum of y among all ways to
// choose len(y) of the pooled values. Ranks are doubled so that mid-ranks are
// whole numbers.
func exactRankSum(x, y []float64, rankSum float64) float64 {
	var ranks []int
	forTies(x, y, func(before, fromX, fromY int) {
		for range fromX + fromY {
			ranks = append(ranks, 2*before+fromX+fromY+1)
		}
	})
	total := 0
	for _, rank := range ranks {
		total += rank
	}
	// ways[k][s]: the number of k-subsets of the ranks so far that sum to s.
	ways := make([][]float64, len(y)+1)
	for k := range ways {
		ways[k] = make([]float64, total+1)
	}
	ways[0][0] = 1
	for _, rank := range ranks {
		for k := len(y); k >= 1; k-- {
			for s := total; s >= rank; s-- {
				ways[k][s] += ways[k-1][s-rank]
			}
		}
	}
	observed := int(math.Round(2 * rankSum))
	var all, below, above float64
	for s, count := range ways[len(y)] {
		all += count
		if s <= observed {
			below += count
		}
		if s >= observed {
			above += count
		}
	}
	return math.Min(1, 2*math.Min(below, above)/all)
}
