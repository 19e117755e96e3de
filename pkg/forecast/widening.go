package forecast

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// blocks of successive origins are held out in turn to learn how much wider
	// intervals must be than the errors they are read from.
	blocks      = 5
	minOrigins  = 2 * blocks
	minWidening = 0.5
	maxWidening = 2.0
	// Fewer errors to a bound do here: many bounds are judged together.
	minWideningErrors = 150
	maxWideningErrors = 200
)

// widened is by how much an interval of one probability is scaled: at the first
// step, whose errors lie side by side, and later, where those of overlapping
// forecasts resemble each other.
type widened struct{ first, later float64 }

// widening learns the factor of each probability. Errors of overlapping forecasts
// are not exchangeable, and the trial's model was chosen on them. So each block of
// origins is held out in turn, and bounds from the others are scaled until they
// hold as much of it as they promise.
func widening(errors [][]float64, phases trialPhases, probabilities []float64) []widened {
	factors := slices.Repeat([]widened{{1, 1}}, len(probabilities))
	if len(errors) == 0 || len(errors[0]) < minOrigins {
		return factors
	}
	n := len(errors[0])
	first := make([][]float64, len(probabilities)) // errors over bounds
	later := make([][]float64, len(probabilities))
	others := make([][]float64, len(errors))
	for block := range blocks {
		from, to := firstOf(block, n), firstOf(block+1, n)
		relative := phases.without(block)
		scaled := make([][]float64, len(errors))
		for h, at := range errors {
			scaled[h] = slices.Clone(at)
			phases.divide(scaled[h], h, 0, relative)
			others[h] = append(append(others[h][:0], scaled[h][:from]...), scaled[h][to:]...)
		}
		knots, learned := knotBounds(others, len(others), probabilities, pool{minWideningErrors, maxWideningErrors})
		for k, h := range knots {
			for _, e := range scaled[h][from:to] {
				for i := range probabilities {
					bound := learned[i].above[k]
					if e < 0 {
						bound = learned[i].below[k]
					}
					switch reach := math.Abs(e) / bound; {
					case !(bound > 0) || math.IsNaN(reach):
					case h == 0:
						first[i] = append(first[i], reach)
					default:
						later[i] = append(later[i], reach)
					}
				}
			}
		}
	}
	for i, probability := range probabilities {
		factors[i] = widened{factorOf(first[i], probability), factorOf(later[i], probability)}
	}
	return factors
}

// firstOf is the first origin of a block, of n; blockOf is the block of one.
func firstOf(block, n int) int { return (block*n + blocks - 1) / blocks }

func blockOf(origin, n int) int { return origin * blocks / n }

func factorOf(reaches []float64, probability float64) float64 {
	n := len(reaches)
	if n == 0 {
		return 1
	}
	rank := min(int(math.Ceil(float64(n+1)*probability)), n)
	return min(max(stats.OrderStatistic(reaches, rank-1), minWidening), maxWidening)
}
