package forecast

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// fewestErrors is how many errors, from neighbouring horizons where one has
	// too few, a bound is read from.
	fewestErrors = 300
	mostErrors   = 600
	// blocks of successive origins are held out in turn to learn how much wider
	// intervals must be than the errors they are read from.
	blocks        = 5
	fewestOrigins = 2 * blocks
	mostWidening  = 2.0
)

// intervals are the bounds of the next horizon points around zero. They are
// conformal at a ladder of horizons, from a trial's errors, the line between
// them, then made never to narrow. Beyond the longest horizon tried they grow
// with the square root of the horizon, as a random walk's do.
//
// Errors of overlapping forecasts are not exchangeable, and the trial's model
// was chosen on them. So each block of origins is held out in turn, and the
// bounds are widened until those from the other blocks hold what they promise.
func (p *prepared) intervals(t trial, horizon int, probabilities []float64) []band {
	all := bounds(p.errorsOf(t, horizon, everyOrigin), horizon, probabilities)
	widening := p.widening(t, horizon, probabilities)
	result := make([]band, len(probabilities))
	for i, probability := range probabilities {
		result[i] = band{Interval{Probability: probability, Lower: all[i].below, Upper: all[i].above}, all[i].alone}
		for h := range horizon {
			result[i].Lower[h] *= -widening[i]
			result[i].Upper[h] *= widening[i]
			result[i].alone[h] *= widening[i]
			if i > 0 {
				result[i].Lower[h] = min(result[i].Lower[h], result[i-1].Lower[h])
				result[i].Upper[h] = max(result[i].Upper[h], result[i-1].Upper[h])
			}
		}
	}
	return result
}

// widening is the factor for each probability.
func (p *prepared) widening(t trial, horizon int, probabilities []float64) []float64 {
	factors := repeat(1, len(probabilities))
	n := len(t.origins)
	if n < fewestOrigins {
		return factors
	}
	reaches := make([][]float64, len(probabilities)) // of held-out errors, in bounds
	for block := range blocks {
		within := func(i int) bool { return i*blocks/n == block }
		others := p.errorsOf(t, horizon, func(i int) bool { return !within(i) })
		if len(others) == 0 {
			continue
		}
		learned := bounds(others, horizon, probabilities)
		for h, errors := range p.errorsOf(t, horizon, within) {
			for _, e := range errors {
				for i := range probabilities {
					bound := learned[i].above[h]
					if e < 0 {
						bound = learned[i].below[h]
					}
					if bound > 0 {
						reaches[i] = append(reaches[i], math.Abs(e)/bound)
					}
				}
			}
		}
	}
	for i, probability := range probabilities {
		if count := len(reaches[i]); count > 0 {
			rank := min(int(math.Ceil(float64(count+1)*probability)), count)
			factors[i] = min(max(stats.OrderStatistic(reaches[i], rank-1), 1), mostWidening)
		}
	}
	return factors
}

func everyOrigin(int) bool { return true }

// errorsOf are the errors of a trial's origins by horizon, actual minus
// forecast, what is missing left out and empty horizons at the end cut off.
func (p *prepared) errorsOf(t trial, horizon int, wanted func(origin int) bool) [][]float64 {
	var errors [][]float64
	room := make([]float64, horizon*len(t.forecasts)) // one piece for all horizons
	for i, mean := range t.forecasts {
		if !wanted(i) {
			continue
		}
		for h, actual := range p.future(t.origins[i], horizon) {
			if h >= len(errors) {
				errors = append(errors, room[h*len(t.forecasts):h*len(t.forecasts):(h+1)*len(t.forecasts)])
			}
			if e := actual - mean[h]; !math.IsNaN(e) {
				errors[h] = append(errors[h], e)
			}
		}
	}
	for len(errors) > 0 && len(errors[len(errors)-1]) == 0 {
		errors = errors[:len(errors)-1]
	}
	return errors
}

// reach is how far errors go to both sides, by horizon, and to the upper one where
// nothing can lie below: what is never less than zero spends all of its misses
// above.
type reach struct{ below, above, alone []float64 }

// band is an interval around the mean with its upper reach where its lower bound
// is the least that the quantity can be.
type band struct {
	Interval
	alone []float64
}

func bounds(errors [][]float64, horizon int, probabilities []float64) []reach {
	knots := ladder(min(len(errors), horizon))
	sizes := sizesOf(errors)
	sides := make([]reach, len(probabilities))
	for i := range sides {
		sides[i] = reach{make([]float64, len(knots)), make([]float64, len(knots)), make([]float64, len(knots))}
	}
	for k, h := range knots {
		conformal := stats.NewConformal(around(errors, sizes, h))
		for i, probability := range probabilities {
			lower, upper := conformal.Bounds(probability)
			sides[i].below[k], sides[i].above[k] = max(-lower, 0), max(upper, 0)
			_, upper = conformal.Bounds(max(2*probability-1, 0))
			sides[i].alone[k] = max(upper, 0)
		}
	}
	for i, side := range sides {
		sides[i] = reach{
			below: spread(knots, stats.Isotonic(side.below), horizon),
			above: spread(knots, stats.Isotonic(side.above), horizon),
			alone: spread(knots, stats.Isotonic(side.alone), horizon),
		}
	}
	return sides
}

// sizesOf are the mean absolute errors by horizon, made never to fall.
func sizesOf(errors [][]float64) []float64 {
	sizes := make([]float64, len(errors))
	for h, at := range errors {
		sum := 0.0
		for _, e := range at {
			sum += math.Abs(e)
		}
		if len(at) > 0 {
			sizes[h] = sum / float64(len(at))
		} else if h > 0 {
			sizes[h] = sizes[h-1]
		}
	}
	return stats.Isotonic(sizes)
}

// around collects errors of horizon h and, as far as needed, of its neighbours,
// these brought to the size that errors have at h.
func around(errors [][]float64, sizes []float64, h int) []float64 {
	pooled := append(make([]float64, 0, mostErrors), errors[h]...)
	take := func(at int) {
		scale := 1.0
		if sizes[at] > 0 {
			scale = sizes[h] / sizes[at]
		}
		for _, e := range errors[at] {
			pooled = append(pooled, e*scale)
		}
	}
	near := max(h/8, 1)
	for d := 1; d < len(errors) && (len(pooled) < fewestErrors || d <= near) && len(pooled) < mostErrors; d++ {
		if h-d >= 0 && d <= max(h/2, 2) {
			take(h - d)
		}
		if h+d < len(errors) && d <= max(h/2, 2) {
			take(h + d)
		}
	}
	return pooled
}

// ladder is 0 and on, in steps that grow with the horizon, ending at n-1.
func ladder(n int) []int {
	var knots []int
	for h := 0; h < n; h += 1 + h/3 {
		knots = append(knots, h)
	}
	if last := knots[len(knots)-1]; last != n-1 {
		knots = append(knots, n-1)
	}
	return knots
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
		if k == last {
			line[h] = values[last] * math.Sqrt(float64(h+1)/float64(knots[last]+1))
			continue
		}
		share := float64(h-knots[k]) / float64(knots[k+1]-knots[k])
		line[h] = values[k] + (values[k+1]-values[k])*share
	}
	return line
}
