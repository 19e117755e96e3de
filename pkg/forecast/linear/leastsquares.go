// Package linear holds the least squares and the Fourier terms that several
// forecasting models share.
package linear

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// LeastSquares is weighted least squares of y on the columns, points that are missing
// or of no weight left out. Nil weights are one each. It is false where the columns
// depend on each other.
func LeastSquares(y []float64, columns [][]float64, weights []float64) ([]float64, bool) {
	k := len(columns)
	gram, cross := mat.NewSymDense(k, nil), mat.NewVecDense(k, nil)
	for t, v := range y {
		weight := 1.0
		if weights != nil {
			weight = weights[t]
		}
		if math.IsNaN(v) || weight == 0 {
			continue
		}
		for i := range k {
			a := columns[i][t] * weight
			cross.SetVec(i, cross.AtVec(i)+a*v)
			for j := i; j < k; j++ {
				gram.SetSym(i, j, gram.At(i, j)+a*columns[j][t])
			}
		}
	}
	for i := range k { // a column that differencing made zero
		gram.SetSym(i, i, gram.At(i, i)*(1+1e-12)+1e-300)
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(gram) {
		return nil, false
	}
	var solution mat.VecDense
	if err := cholesky.SolveVecTo(&solution, cross); err != nil && math.IsNaN(mat.Norm(&solution, 2)) {
		return nil, false
	}
	return solution.RawVector().Data, true
}

// Dot is the scalar product of a with the beginning of b.
func Dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}
