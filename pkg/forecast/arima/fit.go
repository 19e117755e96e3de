package arima

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"

	"github.com/foresight-observability/foresight/pkg/forecast/linear"
	"github.com/foresight-observability/foresight/pkg/forecast/model"
)

// regression is a history and its regressors after differencing.
type regression struct {
	y       []float64
	columns [][]float64
}

func newRegression(m Model, y []float64) regression {
	difference := differencing(m.D, m.SD, m.Period)
	r := regression{y: difference.apply(y)}
	k := len(m.columns(0))
	columns := make([][]float64, k)
	for t := range y {
		for i, v := range m.columns(t) {
			columns[i] = append(columns[i], v)
		}
	}
	for _, column := range columns {
		r.columns = append(r.columns, difference.apply(column))
	}
	return r
}

// rest is what the regression leaves over.
func (r regression) rest(weights []float64) []float64 {
	rest := make([]float64, len(r.y))
	for t, v := range r.y {
		rest[t] = v
		for i, column := range r.columns {
			rest[t] -= weights[i] * column[t]
		}
	}
	return rest
}

const (
	cssEvaluations   = 50 // per coefficient
	exactEvaluations = 80
	// exactWork is how many covariance updates one pass of the exact filter may
	// take; beyond it conditional least squares must do.
	exactWork = 500_000
	// alternations between coefficients and regression weights; the likelihood
	// is nearly separable in them.
	alternations = 6
	innermost    = 1.5 // as the optimiser sees it: a partial autocorrelation of 0.9
)

// estimate finds coefficients and weights: least squares, then conditional
// least squares, then exact likelihood, alternating with generalised least
// squares for the weights.
func (f *fit) estimate(r regression) error {
	if len(r.columns) > 0 {
		weights, ok := linear.LeastSquares(r.y, r.columns, nil)
		if !ok {
			return fmt.Errorf("%w: the regressors of %s depend on each other", model.ErrNoModel, f.Name())
		}
		f.weights = weights
	}
	x := make([]float64, f.P+f.Q+f.SP+f.SQ)
	for i := range x {
		x[i] = 0.1
	}
	rest := r.rest(f.weights)
	x = minimise(func(x []float64) float64 { return f.conditional(x, rest) }, x, cssEvaluations, 0.3)
	if f.Approximate || len(rest)*f.states()*f.states() > exactWork {
		f.finishApproximate(x, rest)
		return f.check()
	}
	for i := range x {
		// Conditional least squares runs into the unit circle, where the exact
		// likelihood has a ridge of its own: begin inside.
		x[i] = min(max(x[i], -innermost), innermost)
	}
	best := f.exact(x, rest)
	for range alternations {
		x = minimise(func(x []float64) float64 { return f.exact(x, rest) }, x, exactEvaluations, 0.3, 0.05)
		if len(r.columns) == 0 {
			break
		}
		f.reweigh(x, r)
		rest = r.rest(f.weights)
		now := f.exact(x, rest)
		if best-now < 1e-7*math.Abs(best) {
			break
		}
		best = now
	}
	f.numbers = x
	f.finishExact(x, rest)
	return f.check()
}

// states is the size of the filter's state.
func (f *fit) states() int {
	period := max(f.Period, 1)
	return max(f.P+period*f.SP, f.Q+period*f.SQ+1)
}

func (f *fit) check() error {
	if math.IsNaN(f.likelihood) || math.IsInf(f.likelihood, -1) {
		return fmt.Errorf("%w: %s has no finite likelihood", model.ErrNoModel, f.Name())
	}
	return nil
}

// minimise runs the simplex from x, begun anew for each size.
func minimise(loss func([]float64) float64, x []float64, evaluations int, sizes ...float64) []float64 {
	if len(x) == 0 {
		return x
	}
	for _, size := range sizes {
		result, _ := optimize.Minimize(optimize.Problem{Func: loss}, x,
			&optimize.Settings{FuncEvaluations: evaluations * len(x)}, &optimize.NelderMead{SimplexSize: size})
		if result != nil && result.F <= loss(x) {
			x = result.X
		}
	}
	return x
}

// conditional is half the logarithm of the conditional mean square: shocks
// before the first full set of lags are zero.
func (f *fit) conditional(x, rest []float64) float64 {
	f.set(x)
	squares, n := f.shocksOf(rest)
	return 0.5 * math.Log(max(squares/float64(max(n, 1)), math.SmallestNonzeroFloat64))
}

// term is one coefficient that is not zero.
type term struct {
	lag   int
	value float64
}

func (p polynomial) terms() []term {
	var terms []term
	for lag, c := range p {
		if lag > 0 && c != 0 {
			terms = append(terms, term{lag, c})
		}
	}
	return terms
}

// shocksOf sums the squared conditional shocks; a missing point has none.
func (f *fit) shocksOf(rest []float64) (squares float64, n int) {
	phi, theta := f.polynomials()
	arTerms, maTerms := phi.terms(), theta.terms()
	skip := len(phi) - 1
	shocks := make([]float64, len(rest))
	for t := skip; t < len(rest); t++ {
		e := rest[t]
		for _, c := range arTerms {
			e += c.value * rest[t-c.lag]
		}
		for _, c := range maTerms {
			if t >= c.lag {
				e -= c.value * shocks[t-c.lag]
			}
		}
		if math.IsNaN(e) {
			continue
		}
		shocks[t] = e
		squares += e * e
		n++
	}
	return squares, n
}

// exact is the concentrated criterion ½·(log σ² + mean log variance).
func (f *fit) exact(x, rest []float64) float64 {
	f.set(x)
	innovations, variances, ok := newARMA(f.polynomials()).filter(rest)
	if !ok {
		return math.Inf(1)
	}
	squares, logs, n := criterion(innovations, variances)
	value := 0.5 * (math.Log(max(squares/float64(n), math.SmallestNonzeroFloat64)) + logs/float64(n))
	if math.IsNaN(value) {
		return math.Inf(1)
	}
	return value
}

func criterion(innovations, variances []float64) (squares, logs float64, n int) {
	for t, v := range innovations {
		if !math.IsNaN(v) {
			squares += v * v / variances[t]
			logs += math.Log(variances[t])
			n++
		}
	}
	return squares, logs, max(n, 1)
}

// reweigh is generalised least squares for the weights: the filter whitens both
// sides.
func (f *fit) reweigh(x []float64, r regression) {
	f.set(x)
	process := newARMA(f.polynomials())
	y, variances, ok := process.filter(r.y)
	if !ok {
		return
	}
	columns := make([][]float64, len(r.columns))
	for i, column := range r.columns {
		masked := append([]float64(nil), column...)
		for t, v := range r.y {
			if math.IsNaN(v) {
				masked[t] = math.NaN()
			}
		}
		columns[i], _, _ = process.filter(masked)
	}
	weights := make([]float64, len(y))
	for t, v := range variances {
		weights[t] = 1 / v
	}
	if solution, ok := linear.LeastSquares(y, columns, weights); ok {
		f.weights = solution
	}
}

func (f *fit) finishExact(x, rest []float64) {
	f.set(x)
	f.likelihood = math.Inf(-1)
	if innovations, variances, ok := newARMA(f.polynomials()).filter(rest); ok {
		squares, logs, n := criterion(innovations, variances)
		f.finish(squares, logs, n)
	}
}

func (f *fit) finishApproximate(x, rest []float64) {
	f.numbers = x
	f.set(x)
	squares, n := f.shocksOf(rest)
	f.finish(squares, 0, n)
	// Compared with the whole series, so that orders that skip more points gain
	// nothing by it.
	f.used = len(rest)
	f.likelihood *= float64(len(rest)) / float64(max(n, 1))
}

func (f *fit) finish(squares, logs float64, n int) {
	f.used = n
	f.sigma2 = max(squares/float64(n), math.SmallestNonzeroFloat64)
	f.likelihood = -0.5 * (float64(n)*(math.Log(2*math.Pi*f.sigma2)+1) + logs)
}
