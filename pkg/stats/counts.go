package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// RateRatio is the ratio of the mean count of y to that of x with the interval
// of a quasi-Poisson model: the variance is the mean times a dispersion that
// Pearson's statistic estimates (McCullagh and Nelder, Generalized Linear
// Models, 2nd ed., section 4.5). exposureX and exposureY are what each count is
// out of (for example calls of the parent); nil for 1 each. Where one side has
// no count at all, half a count is added to both, which keeps the ratio
// finite.
func RateRatio(x, exposureX, y, exposureY []float64, confidence float64) Interval {
	totalX, unitsX := total(x), units(x, exposureX)
	totalY, unitsY := total(y), units(y, exposureY)
	if unitsX <= 0 || unitsY <= 0 || totalX+totalY == 0 {
		return Interval{Estimate: 1, Lower: 0, Upper: math.Inf(1)}
	}
	pearson := pearsonStatistic(x, exposureX, totalX/unitsX) + pearsonStatistic(y, exposureY, totalY/unitsY)
	dispersion := 1.0
	if freedom := len(x) + len(y) - 2; freedom > 0 && pearson > 0 {
		dispersion = pearson / float64(freedom)
	}
	if totalX == 0 || totalY == 0 {
		totalX, totalY = totalX+0.5, totalY+0.5
		dispersion = math.Max(dispersion, 1)
	}
	logRatio := math.Log(totalY / unitsY / (totalX / unitsX))
	half := distuv.UnitNormal.Quantile((1+confidence)/2) * math.Sqrt(dispersion*(1/totalX+1/totalY))
	return Interval{Estimate: math.Exp(logRatio), Lower: math.Exp(logRatio - half), Upper: math.Exp(logRatio + half)}
}

func total(values []float64) (sum float64) {
	for _, value := range values {
		sum += value
	}
	return sum
}

func units(counts, exposure []float64) float64 {
	if exposure == nil {
		return float64(len(counts))
	}
	return total(exposure)
}

func pearsonStatistic(counts, exposure []float64, rate float64) (sum float64) {
	for i, count := range counts {
		expected := rate
		if exposure != nil {
			expected *= exposure[i]
		}
		if expected > 0 {
			sum += (count - expected) * (count - expected) / expected
		}
	}
	return sum
}
