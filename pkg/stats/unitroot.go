package stats

import "math"

// kpssCritical are critical values of the KPSS test for a constant level, by
// significance (Kwiatkowski, Phillips, Schmidt and Shin, Journal of Econometrics
// 54, 1992, table 1).
var kpssCritical = []struct{ level, value float64 }{{0.10, 0.347}, {0.05, 0.463}, {0.025, 0.574}, {0.01, 0.739}}

// KPSS is the test statistic and its p-value, between 0.01 and 0.1, for the
// hypothesis that x varies around a constant level. The long-run variance uses
// the Bartlett kernel with ⌊3·√n/13⌋ lags, as R's forecast::ndiffs. x holds no
// NaN; a constant is stationary.
func KPSS(x []float64) (statistic, p float64) {
	n := len(x)
	if n < 2 {
		return 0, kpssCritical[0].level
	}
	mean := 0.0
	for _, v := range x {
		mean += v / float64(n)
	}
	lags := int(3 * math.Sqrt(float64(n)) / 13)
	variance := 0.0
	for lag := 0; lag <= lags; lag++ {
		sum := 0.0
		for i := lag; i < n; i++ {
			sum += (x[i] - mean) * (x[i-lag] - mean)
		}
		weight := 1.0
		if lag > 0 {
			weight = 2 * (1 - float64(lag)/float64(lags+1))
		}
		variance += weight * sum / float64(n)
	}
	partial, squares := 0.0, 0.0
	for _, v := range x {
		partial += v - mean
		squares += partial * partial
	}
	if !(variance > 0) {
		return 0, kpssCritical[0].level
	}
	statistic = squares / float64(n) / float64(n) / variance
	last := len(kpssCritical) - 1
	switch {
	case statistic <= kpssCritical[0].value:
		return statistic, kpssCritical[0].level
	case statistic >= kpssCritical[last].value:
		return statistic, kpssCritical[last].level
	}
	for i := 1; ; i++ {
		a, b := kpssCritical[i-1], kpssCritical[i]
		if statistic <= b.value {
			return statistic, a.level + (b.level-a.level)*(statistic-a.value)/(b.value-a.value)
		}
	}
}
