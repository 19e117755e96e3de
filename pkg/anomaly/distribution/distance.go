package distribution

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// Result is how far the shape is from the usual one at each step.
type Result struct {
	// Distance is in standard deviations of what the history's own steps differ by:
	// about 1 is usual. NaN where there is no history, or too few observations.
	Distance series.Series
	// Expected are the usual shares, as Histogram.Shares.
	Expected  [][]float64
	histogram Histogram
}

// Distance is the energy distance over the buckets (Székely and Rizzo, Journal of
// Statistical Planning and Inference 143, 2013), on a logarithmic scale, with the
// weights of Anderson and Darling (Annals of Mathematical Statistics 23, 1952): each
// bound's difference is divided by its variance. The variance is what the history's
// own steps differed by, and never below chance, since counts of real requests vary
// more than a multinomial's. What is usual is the shape around the same time on the
// days before, moved by what the last hours differed from it. A step is compared
// with what lies before it only.
func (h Histogram) Distance() Result {
	n := len(h.Observed)
	r := Result{histogram: h, Distance: series.Series{Start: h.Start, Step: h.Step, Values: make([]float64, n)}}
	sums, moved, weights := make([]float64, n), make([]float64, n), make([]float64, n)
	for k, width := range h.widths() {
		expected := h.expected(h.Shares[k])
		r.Expected = append(r.Expected, expected)
		differences := make([]float64, n)
		for i, share := range h.Shares[k] {
			differences[i] = share - expected[i]
		}
		variance := h.variance(differences, expected)
		for i, difference := range differences {
			if math.IsNaN(difference) || math.IsNaN(variance[i]) {
				continue
			}
			sums[i] += width * difference * difference / variance[i]
			weights[i] += width
			moved[i] = max(moved[i], math.Abs(difference))
		}
	}
	for i := range r.Distance.Values {
		r.Distance.Values[i] = math.NaN()
		if weights[i] > 0 {
			// What moves too little to matter does not count in full.
			r.Distance.Values[i] = math.Sqrt(sums[i]/weights[i]) * min(1, moved[i]/minMoved)
		}
	}
	return r
}

// expected are the usual shares of a bound, from what lies before each step.
func (h Histogram) expected(shares []float64) []float64 {
	usual, before := h.daily(shares)
	differences := make([]float64, len(shares))
	for i := range differences {
		differences[i] = shares[i] - usual[i]
	}
	recent := prefixOf(differences)
	far, near := int(drift/h.Step), max(int(latest/h.Step), 1)
	expected := make([]float64, len(shares))
	for i := range expected {
		switch today, known := recent.mean(i-far, i-near); {
		case !math.IsNaN(usual[i]) && known:
			expected[i] = usual[i] + today
		case !math.IsNaN(usual[i]):
			expected[i] = usual[i]
		default: // the first day
			expected[i], known = before.mean(i-far, i-near)
			if !known {
				expected[i] = math.NaN()
			}
		}
	}
	return expected
}

// daily are the means around the same time on the days before.
func (h Histogram) daily(shares []float64) (usual []float64, all prefix) {
	all = prefixOf(shares)
	whole, half := int(day/h.Step), int(around/h.Step)
	usual = make([]float64, len(shares))
	for i := range usual {
		sum, total, weight := 0.0, 0.0, 1.0
		for d := 1; d <= days; d++ {
			if mean, known := all.mean(i-d*whole-half, i-d*whole+half+1); known {
				sum, total = sum+weight*mean, total+weight
			}
			weight *= decay
		}
		usual[i] = sum / total
	}
	return usual, all
}

// variance is what a bound's share usually differs by from what is expected.
func (h Histogram) variance(differences, expected []float64) []float64 {
	n := len(differences)
	squares := make([]float64, n)
	sums := prefix{sum: make([]float64, n+1), count: make([]int, n+1)}
	variance := make([]float64, n)
	far, near := int(spread/h.Step), max(int(latest/h.Step), 1)
	for i := range squares {
		variance[i] = math.NaN()
		difference := differences[i]
		learned, known := sums.mean(i-far, i-near)
		if !math.IsNaN(difference) {
			// One observation more, so that an empty bucket varies, too.
			chance := (max(expected[i]*(1-expected[i]), 0) + 1/h.Observed[i]) / h.Observed[i]
			squares[i] = difference * difference
			if known {
				variance[i] = max(learned, chance)
				squares[i] = min(squares[i], outlier*outlier*variance[i]) // incidents do not teach
			}
		}
		sums.sum[i+1], sums.count[i+1] = sums.sum[i], sums.count[i]
		if !math.IsNaN(difference) {
			sums.sum[i+1], sums.count[i+1] = sums.sum[i]+squares[i], sums.count[i]+1
		}
	}
	return variance
}

// prefix holds running sums, so that the mean of any stretch is at hand.
type prefix struct {
	sum   []float64
	count []int
}

func prefixOf(values []float64) prefix {
	p := prefix{make([]float64, len(values)+1), make([]int, len(values)+1)}
	for i, v := range values {
		p.sum[i+1], p.count[i+1] = p.sum[i], p.count[i]
		if !math.IsNaN(v) {
			p.sum[i+1], p.count[i+1] = p.sum[i]+v, p.count[i]+1
		}
	}
	return p
}

// minMean is how few values make a mean.
const minMean = 10

// mean of the values from one step up to, but without, another.
func (p prefix) mean(from, to int) (mean float64, known bool) {
	from, to = min(max(from, 0), len(p.count)-1), min(max(to, 0), len(p.count)-1)
	if to <= from {
		return 0, false
	}
	n := p.count[to] - p.count[from]
	if n < minMean {
		return 0, false
	}
	return (p.sum[to] - p.sum[from]) / float64(n), true
}

// Describe says where the observations of a step lie that usually lie elsewhere, as
// "6 % are between 0.5 and 1, usually 0.2 %"; empty where nothing is compared.
func (r Result) Describe(at time.Time) string {
	i := r.Distance.Index(at)
	if i < 0 || i >= r.Distance.Len() || math.IsNaN(r.Distance.Values[i]) {
		return ""
	}
	best, gain, now, before := -1, 0.0, 0.0, 0.0
	lastShare, lastExpected := 0.0, 0.0
	for k := range len(r.Expected) + 1 {
		share, expected := 1.0, 1.0
		if k < len(r.Expected) {
			share, expected = r.histogram.Shares[k][i], r.Expected[k][i]
		}
		if math.IsNaN(share) || math.IsNaN(expected) {
			continue
		}
		if more := share - lastShare - (expected - lastExpected); more > gain {
			best, gain, now, before = k, more, share-lastShare, max(expected-lastExpected, 0)
		}
		lastShare, lastExpected = share, expected
	}
	if best < 0 {
		return ""
	}
	bound := func(k int) string { return strconv.FormatFloat(r.histogram.Bounds[k], 'g', 4, 64) }
	where := "between " + bound(max(best-1, 0)) + " and "
	switch {
	case best == 0:
		where = "up to " + bound(0)
	case best == len(r.histogram.Bounds):
		where = "above " + bound(best-1)
	default:
		where += bound(best)
	}
	return fmt.Sprintf("%.3g %% of the observations are %s, usually %.2g %%", 100*now, where, 100*before)
}
