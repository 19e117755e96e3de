// Package accuracy measures forecasts, anomaly scores and predictive scaling
// against published data and peers.
package accuracy

import (
	"math"

	"github.com/foresight-observability/foresight/tests/bench/runner"
)

// accuracy gathers point and interval errors over many windows, as the M4
// competition defines them (M4 Competitor's Guide, 2018).
type accuracy struct {
	smape, mase, msis float64 // sums over windows
	inside, points    int
	windows           int
}

// add takes one window in. scale is the mean absolute seasonal difference of
// the history; probability that of the interval.
func (a *accuracy) add(actual, mean, lower, upper []float64, scale, probability float64) {
	var smape, mase, msis float64
	n := float64(len(actual))
	for h, y := range actual {
		e := math.Abs(y - mean[h])
		if size := math.Abs(y) + math.Abs(mean[h]); size > 0 {
			smape += 200 * e / size / n
		}
		mase += e / scale / n
		width := upper[h] - lower[h]
		penalty := 2 / (1 - probability)
		switch {
		case y < lower[h]:
			width += penalty * (lower[h] - y)
		case y > upper[h]:
			width += penalty * (y - upper[h])
		default:
			a.inside++
		}
		msis += width / scale / n
		a.points++
	}
	a.smape += smape
	a.mase += mase
	a.msis += msis
	a.windows++
}

func (a *accuracy) merge(b accuracy) {
	a.smape += b.smape
	a.mase += b.mase
	a.msis += b.msis
	a.inside += b.inside
	a.points += b.points
	a.windows += b.windows
}

func (a accuracy) mean(sum float64) float64 { return runner.Round(sum / float64(a.windows)) }

func (a accuracy) coverage() float64 { return runner.Round(float64(a.inside) / float64(a.points)) }

// seasonalScale is the mean absolute difference between points one season
// apart.
func seasonalScale(history []float64, period int) float64 {
	sum := 0.0
	for i := period; i < len(history); i++ {
		sum += math.Abs(history[i] - history[i-period])
	}
	return sum / float64(len(history)-period)
}
