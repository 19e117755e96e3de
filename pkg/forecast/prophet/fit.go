// Package prophet fits a trend with change points and Fourier seasons.
package prophet

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/foresight-observability/foresight/pkg/forecast/linear"
	"github.com/foresight-observability/foresight/pkg/forecast/model"
)

const (
	noiseIterations    = 50 // alternations of coefficients and noise
	logisticIterations = 30 // Gauss–Newton steps of a logistic trend
	minNoise           = 1e-9
	lassoSweeps        = 20_000
	lassoTolerance     = 1e-10
)

// estimate finds the mode of the posterior. With a linear trend it is convex
// for a given noise; a logistic trend is made linear around the last estimate
// (Gauss and Newton).
func (f *fit) estimate(y []float64) error {
	pairs := 2 * len(f.waves)
	if f.Regressors != nil {
		pairs += len(f.Regressors(0))
	}
	f.trend, f.seasons = make([]float64, 2+len(f.changes)), make([]float64, pairs)
	f.sigma = noiseScale
	if f.Capacity > 0 {
		f.trend[0] = f.startOfLogistic(y)
	}
	design := f.design(y)
	if f.Capacity == 0 {
		if !f.mode(f.linearise(design), noiseIterations) {
			return errSingularProphet
		}
		return nil
	}
	before := f.objective(design)
	for range logisticIterations {
		trend, seasons := f.trend, f.seasons
		if !f.mode(f.linearise(design), 1) {
			return errSingularProphet
		}
		target, targetSeasons := f.trend, f.seasons
		now := f.objective(design)
		for share := 0.5; now > before && share > 1e-3; share /= 2 {
			f.trend, f.seasons = between(trend, target, share), between(seasons, targetSeasons, share)
			now = f.objective(design)
		}
		if now > before {
			f.trend, f.seasons = trend, seasons
			f.objective(design)
			break
		}
		if before-now < 1e-8*math.Abs(before) {
			break
		}
		before = now
	}
	return nil
}

var errSingularProphet = fmt.Errorf("%w: the decomposable model is singular", model.ErrNoModel)

func between(a, b []float64, share float64) []float64 {
	c := make([]float64, len(a))
	for i := range a {
		c[i] = a[i] + share*(b[i]-a[i])
	}
	return c
}

// startOfLogistic is the predictor of the mean level.
func (f *fit) startOfLogistic(y []float64) float64 {
	sum, n := 0.0, 0.0
	for _, v := range y {
		if !math.IsNaN(v) {
			sum += (v - f.least) / f.scale
			n++
		}
	}
	share := min(max(sum/n, 0.01), 0.99)
	return math.Log(share / (1 - share))
}

// observation is one row: the scaled value and its columns.
type observation struct {
	value          float64
	trend, seasons []float64
}

func (f *fit) design(y []float64) []observation {
	rows := make([]observation, 0, len(y))
	width := 2 + len(f.changes)
	for t, v := range y {
		if !math.IsNaN(v) {
			rows = append(rows, observation{
				value: (v - f.least) / f.scale,
				trend: f.trendColumns(t, make([]float64, 0, width)), seasons: f.seasonColumns(t, make([]float64, 0, len(f.seasons))),
			})
		}
	}
	return rows
}

// objective is minus the logarithm of the posterior, but for constants, with
// the noise at its best, which it sets.
func (f *fit) objective(rows []observation) float64 {
	squares := 0.0
	for _, row := range rows {
		level, _ := f.level(linear.Dot(f.trend, row.trend))
		e := row.value - level - linear.Dot(f.seasons, row.seasons)
		squares += e * e
	}
	f.sigma = bestNoise(float64(len(rows)), squares)
	prior := f.sigma * f.sigma / (2 * noiseScale * noiseScale)
	for i, v := range f.trend {
		if i < 2 {
			prior += v * v / (2 * trendScale * trendScale)
		} else {
			prior += math.Abs(v) / changepointScale
		}
	}
	for _, v := range f.seasons {
		prior += v * v / (2 * seasonScale * seasonScale)
	}
	return float64(len(rows))*math.Log(f.sigma) + squares/(2*f.sigma*f.sigma) + prior
}

// linearised is a least-squares problem by its products. The columns with a
// normal prior come first, the changes of slope last.
type linearised struct {
	gram      *mat.SymDense
	cross     []float64
	squares   float64 // of the response
	precision []float64
	n, smooth int // rows; columns with a normal prior
}

func (f *fit) linearise(rows []observation) linearised {
	smooth := 2 + len(f.seasons)
	p := smooth + len(f.changes)
	l := linearised{n: len(rows), smooth: smooth, cross: make([]float64, p)}
	data := make([]float64, 0, len(rows)*p)
	for _, row := range rows {
		predictor := linear.Dot(f.trend, row.trend)
		level, slope := f.level(predictor)
		response := row.value - level + slope*predictor
		from := len(data)
		for _, v := range row.trend[:2] {
			data = append(data, slope*v)
		}
		data = append(data, row.seasons...)
		for _, v := range row.trend[2:] {
			data = append(data, slope*v)
		}
		for i, v := range data[from:] {
			l.cross[i] += v * response
		}
		l.squares += response * response
	}
	l.gram = mat.NewSymDense(p, nil)
	l.gram.SymOuterK(1, mat.NewDense(len(rows), p, data).T())
	l.precision = slices.Repeat([]float64{1 / (seasonScale * seasonScale)}, smooth)
	l.precision[0], l.precision[1] = 1/(trendScale*trendScale), 1/(trendScale*trendScale)
	return l
}

// mode alternates between the coefficients given the noise and the noise given
// the residuals.
func (f *fit) mode(l linearised, iterations int) bool {
	deltas := append([]float64(nil), f.trend[2:]...)
	for range iterations {
		smooth, ok := l.solve(f.sigma*f.sigma, deltas)
		if !ok {
			return false
		}
		coefficients := slices.Concat(smooth, deltas)
		squares := l.squares
		for i, c := range coefficients {
			squares -= 2 * c * l.cross[i]
			for j, d := range coefficients {
				squares += c * d * l.gram.At(i, j)
			}
		}
		f.trend = append(append([]float64(nil), smooth[:2]...), deltas...)
		f.seasons = append([]float64(nil), smooth[2:]...)
		before := f.sigma
		f.sigma = bestNoise(float64(l.n), max(squares, 1e-12*l.squares))
		if math.Abs(before-f.sigma) < 1e-8*f.sigma {
			break
		}
	}
	return true
}

// bestNoise is the most probable noise given n residuals' sum of squares s: the
// root of n/σ − s/σ³ + σ/noiseScale² = 0.
func bestNoise(n, s float64) float64 {
	w := 1 / (noiseScale * noiseScale)
	return max(math.Sqrt(2*s/(math.Sqrt(n*n+4*w*s)+n)), minNoise)
}

// solve eliminates the columns with a normal prior, finds the changes of slope
// by coordinate descent (Friedman, Hastie and Tibshirani, Journal of Statistical
// Software 33, 2010), and puts the others back.
func (l linearised) solve(noise float64, deltas []float64) (smooth []float64, ok bool) {
	k, q := l.smooth, len(deltas)
	a := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			a.SetSym(i, j, l.gram.At(i, j))
		}
		a.SetSym(i, i, a.At(i, i)+noise*l.precision[i]+1e-12)
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(a) {
		return nil, false
	}
	right := mat.NewDense(k, q+1, nil)
	for i := range k {
		for j := range q {
			right.Set(i, j, l.gram.At(i, k+j))
		}
		right.Set(i, q, l.cross[i])
	}
	var eliminated mat.Dense
	if err := cholesky.SolveTo(&eliminated, right); err != nil {
		var condition mat.Condition
		if errors.As(err, &condition) {
			return nil, false
		}
	}
	schur, r := make([][]float64, q), make([]float64, q)
	for i := range q {
		schur[i] = make([]float64, q)
		for j := range q {
			schur[i][j] = l.gram.At(k+i, k+j)
			for u := range k {
				schur[i][j] -= l.gram.At(u, k+i) * eliminated.At(u, j)
			}
		}
		r[i] = l.cross[k+i]
		for u := range k {
			r[i] -= l.gram.At(u, k+i) * eliminated.At(u, q)
		}
	}
	lasso(schur, r, noise/changepointScale, deltas)
	smooth = make([]float64, k)
	for i := range k {
		smooth[i] = eliminated.At(i, q)
		for j, d := range deltas {
			smooth[i] -= eliminated.At(i, j) * d
		}
	}
	return smooth, true
}

// lasso minimises ½xᵀGx − rᵀx + penalty·|x|₁ from x on.
func lasso(gram [][]float64, r []float64, penalty float64, x []float64) {
	largest := 0.0
	for _, row := range gram {
		for _, v := range row {
			largest = max(largest, math.Abs(v))
		}
	}
	for range lassoSweeps {
		moved := 0.0
		for j, row := range gram {
			if row[j] <= 1e-12*largest {
				x[j] = 0
				continue
			}
			gradient := r[j]
			for i, v := range x {
				gradient -= row[i] * v
			}
			target := gradient + row[j]*x[j]
			next := math.Copysign(max(math.Abs(target)-penalty, 0), target) / row[j]
			moved = max(moved, math.Abs(next-x[j])*math.Sqrt(row[j]))
			x[j] = next
		}
		if moved < lassoTolerance*math.Sqrt(largest) {
			return
		}
	}
}
