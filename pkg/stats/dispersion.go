package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Block sums the values of a stretch of time.
type Block struct {
	Count       int
	Sum, Square float64
}

// Add takes a value in.
func (b *Block) Add(value float64) {
	b.Count++
	b.Sum += value
	b.Square += value * value
}

// Dispersion is by how much the means of blocks vary more than they would if
// all values were independent, with the degrees of freedom of that estimate.
// Values without any variation have dispersion 0, a single block 1.
//
// A test that assumes independence overstates the evidence about values that
// come in waves; dividing its z by the root of the dispersion puts that right
// (the design effect of cluster sampling: Kish, Survey Sampling, section 5.4).
//
// Each block's squared deviation from the median block, in units of the
// variance within blocks, is distributed as χ² with one degree of freedom
// where values are independent. The mean of the smallest of them, over what it
// then is, is the dispersion. kept is their share: 0.8 where a single incident
// shall not stand for how the system usually varies, 1 where it shall.
func Dispersion(blocks []Block, kept float64) (ratio float64, freedom int) {
	values := 0
	filled := make([]Block, 0, len(blocks))
	for _, block := range blocks {
		if values += block.Count; block.Count > 0 {
			filled = append(filled, block)
		}
	}
	if len(filled) < 2 || values <= len(filled) {
		return 1, 0
	}
	return dispersionOf(filled, filled, kept), len(filled) - 1
}

// dispersionOf is that of windows of time, against the variance within blocks.
func dispersionOf(windows, blocks []Block, kept float64) float64 {
	means := make([]float64, len(windows))
	for i, window := range windows {
		means[i] = window.Sum / float64(window.Count)
	}
	centre := MedianOf(means)
	deviations := means[:0]
	for _, window := range windows {
		deviation := window.Sum/float64(window.Count) - centre
		deviations = append(deviations, float64(window.Count)*deviation*deviation)
	}
	slices.Sort(deviations)
	smallest := deviations[:min(len(deviations), max(1, int(math.Ceil(kept*float64(len(deviations))))))]
	between := total(smallest) / float64(len(smallest)) / trimmedSquare(float64(len(smallest))/float64(len(deviations)))
	count, square, within := 0, 0.0, 0.0
	for _, block := range blocks {
		count += block.Count
		square += block.Square
		within += math.Max(0, block.Square-block.Sum*block.Sum/float64(block.Count))
	}
	within /= float64(count - len(blocks))
	switch rounding := 1e-12 * square / float64(count); {
	case between <= rounding:
		return 0
	case within <= rounding:
		return math.Inf(1)
	}
	return between / within
}

// trimmedSquare is the mean of the smallest share of values that are
// distributed as χ² with one degree of freedom.
func trimmedSquare(share float64) float64 {
	if share >= 1 {
		return 1
	}
	one, three := distuv.ChiSquared{K: 1}, distuv.ChiSquared{K: 3}
	return three.CDF(one.Quantile(share)) / share
}

// Inflate is the two-sided p-value of a test whose variance is larger than it
// assumed by the given dispersion, itself estimated with so many degrees of
// freedom: the p-value is turned into z, divided by the root of the
// dispersion, and referred to Student's distribution. A dispersion up to 1
// leaves the p-value as it is.
func Inflate(pValue, dispersion float64, freedom int) float64 {
	if !(dispersion > 1) || freedom < 1 || pValue >= 1 {
		return pValue
	}
	z := -distuv.UnitNormal.Quantile(math.Max(pValue, 1e-300) / 2)
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(freedom)}
	return math.Max(pValue, math.Min(1, 2*student.Survival(z/math.Sqrt(dispersion))))
}
