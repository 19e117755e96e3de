package detector

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

const (
	polynomialWindow = 24 // points
	polynomialDegree = 2
)

// Polynomial is the distance of a point from where the curve through the points
// before it leads (local polynomial regression: Cleveland, Journal of the
// American Statistical Association 74, 1979; "POLY" in TSB-AD).
type Polynomial struct{}

// Name implements Detector.
func (Polynomial) Name() string { return "polynomial" }

// Score implements Detector.
func (Polynomial) Score(in Input) []float64 {
	weights := extrapolation(polynomialWindow, polynomialDegree)
	scores := make([]float64, len(in.Residual))
	past := make([]float64, 0, len(in.Residual))
	for i, v := range in.Residual {
		scores[i] = math.NaN()
		if n := len(past); !math.IsNaN(v) && n >= polynomialWindow {
			expected := 0.0
			for j, w := range weights {
				expected += w * past[n-polynomialWindow+j]
			}
			scores[i] = v - expected
		}
		if !math.IsNaN(v) {
			past = append(past, min(max(v, -polynomialClip), polynomialClip))
		}
	}
	return scores
}

// polynomialClip keeps a spike from bending the curve behind it.
const polynomialClip = 6

// extrapolation are the weights of the last window values in the least-squares
// polynomial's next value.
func extrapolation(window, degree int) []float64 {
	design := mat.NewDense(window, degree+1, nil)
	next := mat.NewVecDense(degree+1, nil)
	for j := range degree + 1 {
		for i := range window {
			design.Set(i, j, math.Pow(float64(i-window+1)/float64(window), float64(j)))
		}
		next.SetVec(j, math.Pow(1/float64(window), float64(j)))
	}
	var normal mat.Dense
	normal.Mul(design.T(), design)
	var solved mat.VecDense
	if err := solved.SolveVec(&normal, next); err != nil {
		panic(err) // the design is fixed and of full rank
	}
	var weights mat.VecDense
	weights.MulVec(design, &solved)
	return weights.RawVector().Data
}
