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

// Learn implements Detector.
func (Polynomial) Learn(Input) Watcher {
	return &curve{weights: curveWeights, past: newRing(polynomialWindow), score: math.NaN()}
}

// curveWeights are shared by all curves, and never written to.
var curveWeights = extrapolation(polynomialWindow, polynomialDegree)

type curve struct {
	weights []float64
	past    ring // known values
	score   float64
}

func (c *curve) Observe(_, residual float64) {
	c.score = math.NaN()
	if math.IsNaN(residual) {
		return
	}
	if c.past.full() {
		expected := 0.0
		older, newer := c.past.parts()
		for j, v := range older {
			expected += c.weights[j] * v
		}
		for j, v := range newer {
			expected += c.weights[len(older)+j] * v
		}
		c.score = residual - expected
	}
	c.past.add(min(max(residual, -polynomialClip), polynomialClip))
}

func (c *curve) Score() float64 { return c.score }

func (c *curve) Clone() Watcher {
	clone := *c
	clone.past = c.past.clone()
	return &clone
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
