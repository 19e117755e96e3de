package arima

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// arma is a stationary autoregressive moving average with unit innovations, in
// Harvey's state-space form (Forecasting, Structural Time Series Models and the
// Kalman Filter, 1989, section 3.3.1).
type arma struct {
	ar []float64 // y = Σ ar[i]·y[t−1−i] + …
	ma []float64 // … + e + Σ ma[i]·e[t−1−i]
}

// newARMA takes the expanded polynomials φ(B) = 1 − … and θ(B) = 1 + ….
func newARMA(phi, theta polynomial) arma {
	size := max(len(phi)-1, len(theta), 1)
	a := arma{ar: make([]float64, size), ma: make([]float64, size)}
	for i, c := range phi[1:] {
		a.ar[i] = -c
	}
	copy(a.ma, theta[1:])
	return a
}

// order is the number of coefficients up to the last that is not zero.
func order(coefficients []float64) int {
	n := len(coefficients)
	for n > 0 && coefficients[n-1] == 0 {
		n--
	}
	return n
}

// impulse are the first n weights of the infinite moving average.
func (a arma) impulse(n int) []float64 {
	psi := make([]float64, n)
	for k := range psi {
		switch {
		case k == 0:
			psi[k] = 1
		case k <= len(a.ma):
			psi[k] = a.ma[k-1]
		}
		for i := 1; i <= min(k, len(a.ar)); i++ {
			psi[k] += a.ar[i-1] * psi[k-i]
		}
	}
	return psi
}

// autocovariances are the first n of the process; false where it is not
// stationary (Brockwell and Davis, Time Series, 1991, section 3.3).
func (a arma) autocovariances(n int) ([]float64, bool) {
	p, q := order(a.ar), order(a.ma)
	psi := a.impulse(q + 1)
	theta := append([]float64{1}, a.ma[:q]...)
	right := make([]float64, p+1)
	for k := range right {
		for j := k; j <= q; j++ {
			right[k] += theta[j] * psi[j-k]
		}
	}
	gamma := right
	if p > 0 {
		system := mat.NewDense(p+1, p+1, nil)
		for k := range p + 1 {
			system.Set(k, k, system.At(k, k)+1)
			for i := 1; i <= p; i++ {
				at := max(k-i, i-k)
				system.Set(k, at, system.At(k, at)-a.ar[i-1])
			}
		}
		var solution mat.VecDense
		if err := solution.SolveVec(system, mat.NewVecDense(p+1, right)); err != nil || solution.AtVec(0) <= 0 {
			return nil, false
		}
		gamma = solution.RawVector().Data
	}
	for k := len(gamma); k < n; k++ {
		next := 0.0
		for i := 1; i <= p; i++ {
			next += a.ar[i-1] * gamma[k-i]
		}
		for j := k; j <= q; j++ {
			next += theta[j] * psi[j-k]
		}
		gamma = append(gamma, next)
	}
	return gamma, true
}

// covariance is that of the stationary state: element i ≥ 1 of the state is
// Σ_{k≥i} ar[k]·y[t+i−1−k] + Σ_{k≥i} ma[k−1]·e[t+i−1−k].
func (a arma) covariance() ([][]float64, bool) {
	r := len(a.ar)
	gamma, ok := a.autocovariances(r + 1)
	if !ok {
		return nil, false
	}
	psi := a.impulse(2*r + 1)
	type term struct {
		lag    int
		ar, ma float64
	}
	terms := make([][]term, r)
	terms[0] = []term{{lag: 0, ar: 1}}
	for i := 1; i < r; i++ {
		for k := i; k < r; k++ {
			if a.ar[k] != 0 {
				terms[i] = append(terms[i], term{lag: k + 1 - i, ar: a.ar[k]})
			}
		}
		for k := i - 1; k < r; k++ {
			if a.ma[k] != 0 {
				terms[i] = append(terms[i], term{lag: k + 1 - i, ma: a.ma[k]})
			}
		}
	}
	p := make([][]float64, r)
	for i := range p {
		p[i] = make([]float64, r)
	}
	for i := range r {
		for j := 0; j <= i; j++ {
			sum := 0.0
			for _, u := range terms[i] {
				for _, v := range terms[j] {
					d := u.lag - v.lag
					sum += u.ar * v.ar * gamma[max(d, -d)]
					if d <= 0 { // v's shock is not after u's value
						sum += u.ar * v.ma * psi[-d]
					}
					if d >= 0 {
						sum += u.ma * v.ar * psi[d]
					}
					if d == 0 {
						sum += u.ma * v.ma
					}
				}
			}
			p[i][j], p[j][i] = sum, sum
		}
	}
	return p, true
}

// steady is how near to one the innovations' variance must come for the filter
// to have forgotten how it began.
const steady = 1e-9

// filter runs the Kalman filter over y, NaN where missing, and gives for each
// point the innovation and its variance; false where the process is not
// stationary.
func (a arma) filter(y []float64) (innovations, variances []float64, ok bool) {
	r := len(a.ar)
	p, ok := a.covariance()
	if !ok {
		return nil, nil, false
	}
	shock := append([]float64{1}, a.ma[:r-1]...)
	state := make([]float64, r)
	next := make([][]float64, r)
	for i := range next {
		next[i] = make([]float64, r)
	}
	innovations, variances = make([]float64, len(y)), make([]float64, len(y))
	converged := false
	for t, v := range y {
		if t > 0 {
			first := state[0]
			for i := range r {
				state[i] = a.ar[i] * first
				if i+1 < r {
					state[i] += state[i+1]
				}
			}
			if !converged {
				a.predict(p, next, shock)
				p, next = next, p
			}
		}
		f := 1.0
		if !converged {
			f = p[0][0]
		}
		innovations[t], variances[t] = v-state[0], f
		if math.IsNaN(v) {
			if converged { // the gap is felt again in what follows
				converged = false
				for i := range r {
					for j := range r {
						p[i][j] = shock[i] * shock[j]
					}
				}
			}
			continue
		}
		if converged {
			for i, s := range shock {
				state[i] += s * innovations[t]
			}
			continue
		}
		if f <= 0 {
			return nil, nil, false
		}
		gain := innovations[t] / f
		for i := range r {
			state[i] += p[i][0] * gain
		}
		column := make([]float64, r)
		for i := range r {
			column[i] = p[i][0]
		}
		for i := range r {
			if column[i] == 0 {
				continue
			}
			for j := range r {
				p[i][j] -= column[i] * column[j] / f
			}
		}
		converged = t > r && math.Abs(f-1) < steady
	}
	return innovations, variances, true
}

// predict carries the state's covariance one step on.
func (a arma) predict(p, next [][]float64, shock []float64) {
	r := len(a.ar)
	for i := range r {
		for j := 0; j <= i; j++ {
			v := a.ar[i]*a.ar[j]*p[0][0] + shock[i]*shock[j]
			if j+1 < r {
				v += a.ar[i] * p[0][j+1]
			}
			if i+1 < r {
				v += a.ar[j] * p[i+1][0]
				if j+1 < r {
					v += p[i+1][j+1]
				}
			}
			next[i][j], next[j][i] = v, v
		}
	}
}
