package forecast

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// fewestErrors is how many errors, from neighbouring horizons where one has
	// too few, a bound is read from.
	fewestErrors = 200
	mostErrors   = 1_000
)

// intervals are the bounds of the next horizon points around zero, from the
// errors by horizon: conformal at a ladder of horizons, the line between them,
// then made never to narrow. Beyond the longest horizon tried they grow with
// the square root of the horizon, as a random walk's do.
func intervals(errors [][]float64, horizon int, probabilities []float64) []Interval {
	tried := len(errors)
	for tried > 1 && len(errors[tried-1]) == 0 {
		tried--
	}
	knots := ladder(min(tried, horizon))
	sides := make([][2][]float64, len(probabilities))
	for i := range sides {
		sides[i] = [2][]float64{make([]float64, len(knots)), make([]float64, len(knots))}
	}
	for k, h := range knots {
		conformal := stats.NewConformal(around(errors[:tried], h))
		for i, probability := range probabilities {
			lower, upper := conformal.Bounds(probability)
			sides[i][0][k], sides[i][1][k] = max(-lower, 0), max(upper, 0)
		}
	}
	result := make([]Interval, len(probabilities))
	for i, probability := range probabilities {
		below := spread(knots, stats.Isotonic(sides[i][0]), horizon)
		for h := range below {
			below[h] = -below[h]
		}
		result[i] = Interval{
			Probability: probability,
			Lower:       below,
			Upper:       spread(knots, stats.Isotonic(sides[i][1]), horizon),
		}
	}
	return result
}

// ladder is 0 and on, in steps that grow with the horizon, ending at n-1.
func ladder(n int) []int {
	var knots []int
	for h := 0; h < n; h += 1 + h/4 {
		knots = append(knots, h)
	}
	if last := knots[len(knots)-1]; last != n-1 {
		knots = append(knots, n-1)
	}
	return knots
}

// around collects errors of horizon h and, as far as needed, of its neighbours.
func around(errors [][]float64, h int) []float64 {
	pooled := slices.Clone(errors[h])
	reach := max(h/8, 1)
	for d := 1; d < len(errors) && (len(pooled) < fewestErrors || d <= reach); d++ {
		if len(pooled) >= mostErrors {
			break
		}
		if h-d >= 0 && d <= max(h/2, 1) {
			pooled = append(pooled, errors[h-d]...)
		}
		if h+d < len(errors) && d <= max(h/2, 2) {
			pooled = append(pooled, errors[h+d]...)
		}
	}
	return pooled
}

// spread lays values at knots along the horizon.
func spread(knots []int, values []float64, horizon int) []float64 {
	line := make([]float64, horizon)
	last := len(knots) - 1
	k := 0
	for h := range line {
		for k < last && knots[k+1] <= h {
			k++
		}
		switch {
		case k == last:
			line[h] = values[last] * math.Sqrt(float64(h+1)/float64(knots[last]+1))
		default:
			share := float64(h-knots[k]) / float64(knots[k+1]-knots[k])
			line[h] = values[k] + (values[k+1]-values[k])*share
		}
	}
	return line
}
