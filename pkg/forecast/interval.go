package forecast

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Errors that a bound is read from, from neighbouring horizons where one has too
// few.
const (
	minErrors = 300
	maxErrors = 600
)

// intervals are the bounds of the next horizon points around zero, as multiples
// of the scale of errors at the time of each. They are conformal at a ladder of
// horizons, from a trial's errors, the line between them, then made never to
// narrow. Beyond the longest horizon tried they grow with the square root of the
// horizon, as a random walk's do.
func (p *prepared) intervals(t trial, horizon int, probabilities []float64) ([]band, phases) {
	moves := p.movesOf(t, horizon)
	errors := p.pastErrors(t, horizon, moves)
	phases := p.phasesOf(t.origins, errors)
	factors := widening(errors, phases, probabilities)
	for h := range errors {
		phases.divide(errors[h], h, 0, phases.relative)
	}
	all := bounds(errors, horizon, probabilities)
	now := moves.at(len(p.clean))
	result := make([]band, len(probabilities))
	for i, probability := range probabilities {
		result[i] = band{Interval{Probability: probability, Lower: all[i].below, Upper: all[i].above}, all[i].alone}
		f := factors[i]
		for h := range horizon {
			factor := f.later * now
			if h == 0 && horizon > 1 { // no wider than the next
				factor = now * min(f.first, f.later*min(over(all[i].below[1], all[i].below[0]), over(all[i].above[1], all[i].above[0])))
			}
			result[i].Lower[h] *= -factor
			result[i].Upper[h] *= factor
			// Where most values are at the bound, errors come in steps, which no factor
			// moves.
			result[i].alone[h] *= max(factor, now)
			if i > 0 {
				result[i].Lower[h] = min(result[i].Lower[h], result[i-1].Lower[h])
				result[i].Upper[h] = max(result[i].Upper[h], result[i-1].Upper[h])
			}
		}
	}
	return result, phases.phases
}

// over is a ratio without limit where there is nothing to divide by.
func over(a, b float64) float64 {
	if b > 0 {
		return a / b
	}
	return math.Inf(1)
}

// pastErrors are the errors of a trial by horizon and origin, actual minus
// forecast, over what is expected from the moves before them. They are NaN where nothing was observed;
// horizons at the end at which nothing was are left out.
func (p *prepared) pastErrors(t trial, horizon int, moves moves) [][]float64 {
	n, longest := len(t.origins), 0
	room := make([]float64, horizon*n) // one piece for all horizons
	for i := range room {
		room[i] = math.NaN()
	}
	for i, mean := range t.forecasts {
		scale := moves.at(t.origins[i])
		for h, actual := range p.future(t.origins[i], horizon) {
			if e := actual - mean[h]; !math.IsNaN(e) {
				room[h*n+i] = e / scale
				longest = max(longest, h+1)
			}
		}
	}
	errors := make([][]float64, longest)
	for h := range errors {
		errors[h] = room[h*n : (h+1)*n]
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
	knots, sides := knotBounds(errors, horizon, probabilities, pool{minErrors, maxErrors})
	for i, side := range sides {
		sides[i] = reach{
			below: spread(knots, side.below, horizon),
			above: spread(knots, side.above, horizon),
			alone: spread(knots, side.alone, horizon),
		}
	}
	return sides
}

// pool is how many errors a bound is read from: those of neighbouring horizons
// are taken in below the one and up to the other.
type pool struct{ min, max int }

// knotBounds are the bounds at a ladder of horizons.
func knotBounds(errors [][]float64, horizon int, probabilities []float64, size pool) ([]int, []reach) {
	knots := ladder(min(len(errors), horizon))
	sizes := sizesOf(errors)
	sides := make([]reach, len(probabilities))
	for i := range sides {
		sides[i] = reach{make([]float64, len(knots)), make([]float64, len(knots)), make([]float64, len(knots))}
	}
	pooled := make([]float64, 0, 2*size.max)
	for k, h := range knots {
		pooled = around(errors, sizes, h, size, pooled[:0])
		conformal := stats.NewConformal(pooled)
		for i, probability := range probabilities {
			lower, upper := conformal.Bounds(probability)
			sides[i].below[k], sides[i].above[k] = max(-lower, 0), max(upper, 0)
			_, upper = conformal.Bounds(max(2*probability-1, 0))
			sides[i].alone[k] = max(upper, 0)
		}
	}
	for i, side := range sides {
		sides[i] = reach{stats.Isotonic(side.below), stats.Isotonic(side.above), stats.Isotonic(side.alone)}
	}
	return knots, sides
}

// sizesOf are the mean absolute errors by horizon, made never to fall.
func sizesOf(errors [][]float64) []float64 {
	sizes := make([]float64, len(errors))
	for h, at := range errors {
		sum, n := 0.0, 0.0
		for _, e := range at {
			if !math.IsNaN(e) {
				sum += math.Abs(e)
				n++
			}
		}
		if n > 0 {
			sizes[h] = sum / n
		} else if h > 0 {
			sizes[h] = sizes[h-1]
		}
	}
	return stats.Isotonic(sizes)
}

// around appends errors of horizon h and, as far as needed, of its neighbours,
// these brought to the size that errors have at h.
func around(errors [][]float64, sizes []float64, h int, size pool, pooled []float64) []float64 {
	take := func(at int) {
		scale := 1.0
		if sizes[at] > 0 {
			scale = sizes[h] / sizes[at]
		}
		for _, e := range errors[at] {
			if !math.IsNaN(e) {
				pooled = append(pooled, e*scale)
			}
		}
	}
	take(h)
	near := max(h/8, 1)
	for d := 1; d < len(errors) && (len(pooled) < size.min || d <= near) && len(pooled) < size.max; d++ {
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
