package arima

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/foresight-observability/foresight/pkg/forecast/linear"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// maxHarmonics bounds the waves of one season.
const maxHarmonics = 10

// chooseFourier takes, per season, as many of the first harmonics as the
// Bayesian information criterion wants. A frequency that a shorter season has
// already is left to it.
func chooseFourier(y []float64, periods []int) linear.Fourier {
	var chosen linear.Fourier
	longest := 0
	for _, period := range periods {
		longest = max(longest, period)
	}
	if longest == 0 {
		return nil
	}
	detrended := series.Detrended(y, longest)
	n := float64(len(stats.Observed(detrended)))
	total := 0.0
	for _, v := range detrended {
		if !math.IsNaN(v) {
			total += v * v
		}
	}
	for _, period := range periods {
		best, bestTotal, left := 0, total, total
		least := n * math.Log(max(total, math.SmallestNonzeroFloat64)/n)
		var candidates linear.Fourier
		for harmonic := 1; harmonic <= maxHarmonics && 2*harmonic < period; harmonic++ {
			if chosen.Has(period, harmonic) {
				continue
			}
			w := linear.Wave{Period: period, Harmonic: harmonic}
			candidates = append(candidates, w)
			left = max(left-power(w, detrended), math.SmallestNonzeroFloat64)
			criterion := n*math.Log(left/n) + 2*float64(len(candidates))*math.Log(n)
			if criterion < least {
				best, bestTotal, least = len(candidates), left, criterion
			}
		}
		chosen = append(chosen, candidates[:best]...)
		total = bestTotal
	}
	return chosen
}

// power is the sum of squares that a wave explains, waves being nearly
// orthogonal over whole periods.
func power(w linear.Wave, y []float64) float64 {
	var sine, cosine, n float64
	for t, v := range y {
		if math.IsNaN(v) {
			continue
		}
		angle := 2 * math.Pi * float64(w.Harmonic) * float64(t%w.Period) / float64(w.Period)
		sine += v * math.Sin(angle)
		cosine += v * math.Cos(angle)
		n++
	}
	return 2 * (sine*sine + cosine*cosine) / max(n, 1)
}

// withoutColumns is y less its least-squares fit to the columns and a mean.
func withoutColumns(y []float64, at func(t int) []float64) []float64 {
	columns := make([][]float64, 1+len(at(0)))
	for t := range y {
		columns[0] = append(columns[0], 1)
		for i, v := range at(t) {
			columns[i+1] = append(columns[i+1], v)
		}
	}
	weights, ok := linear.LeastSquares(y, columns, nil)
	if !ok {
		return y
	}
	r := regression{y: y, columns: columns[1:]}
	return r.rest(weights[1:])
}

// largestRoot is the largest modulus among the inverse roots of
// 1 − Σ coefficients[i]·B^(i+1).
func largestRoot(coefficients []float64) float64 {
	n := len(coefficients)
	companion := mat.NewDense(n, n, nil)
	for i, c := range coefficients {
		companion.Set(0, i, c)
		if i > 0 {
			companion.Set(i, i-1, 1)
		}
	}
	var eigen mat.Eigen
	if !eigen.Factorize(companion, mat.EigenNone) {
		return 1
	}
	largest := 0.0
	for _, root := range eigen.Values(nil) {
		largest = max(largest, math.Hypot(real(root), imag(root)))
	}
	return largest
}
