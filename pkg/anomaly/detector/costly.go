package detector

import "math"

// calibrating is how many points before Learn a costly detector is calibrated
// with.
const calibrating = 2_000

// costly visits the points that a detector which costs more than a few
// operations per point need look at: the last ones that teach, and those judged.
func (in Input) costly(visit func(i int)) {
	for i := max(in.Learn-calibrating, 0); i < in.Learn; i++ {
		visit(i)
	}
	for i := max(in.From, in.Learn); i < len(in.Residual); i++ {
		visit(i)
	}
}

func missing(n int) []float64 {
	scores := make([]float64, n)
	for i := range scores {
		scores[i] = math.NaN()
	}
	return scores
}

// carried has the last value in the place of missing ones, zero before the
// first.
func carried(x []float64) []float64 {
	filled := make([]float64, len(x))
	last := 0.0
	for i, v := range x {
		if !math.IsNaN(v) {
			last = v
		}
		filled[i] = last
	}
	return filled
}

func orZero(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
