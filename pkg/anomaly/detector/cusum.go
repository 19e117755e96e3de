package detector

import "math"

const (
	cusumClip  = 3.0 // a single point counts at most this much
	cusumSlack = 0.5 // deviations per point that are ordinary
	cusumMost  = 200 // beyond it more says nothing new
	// calmAfter ends the evidence after so many ordinary points in a row.
	calmAfter = 10
)

// CUSUM accumulates mild deviations to one side (Page, Biometrika 41, 1954):
// what no single point shows, an hour of them does.
type CUSUM struct{}

// Name implements Detector.
func (CUSUM) Name() string { return "cusum" }

// Score implements Detector. It is the larger of the two one-sided sums, as
// long as the point itself leans to that side.
func (CUSUM) Score(in Input) []float64 {
	scores := make([]float64, len(in.Residual))
	var rising, falling accumulator
	for i, z := range in.Residual {
		if math.IsNaN(z) {
			scores[i] = math.NaN()
			continue
		}
		up, down := rising.add(z), falling.add(-z)
		switch {
		case up >= down && z > 0:
			scores[i] = up
		case down > up && z < 0:
			scores[i] = -down
		}
	}
	return scores
}

// accumulator is a one-sided cumulative sum.
type accumulator struct {
	sum  float64
	calm int
}

func (a *accumulator) add(deviation float64) float64 {
	if deviation < cusumSlack {
		a.calm++
	} else {
		a.calm = 0
	}
	a.sum = min(max(a.sum+min(deviation, cusumClip)-cusumSlack, 0), cusumMost)
	if a.calm >= calmAfter {
		a.sum = 0
	}
	return a.sum
}
