package arima

import (
	"math"
)

// polynomial in the backshift operator: p[i] belongs to Bⁱ, p[0] is 1.
type polynomial []float64

func (p polynomial) times(q polynomial) polynomial {
	product := make(polynomial, len(p)+len(q)-1)
	for i, a := range p {
		if a == 0 {
			continue
		}
		for j, b := range q {
			product[i+j] += a * b
		}
	}
	return product
}

// lagged is 1 + sign·Σ coefficients[i]·B^((i+1)·lag).
func lagged(coefficients []float64, lag int, sign float64) polynomial {
	p := make(polynomial, len(coefficients)*lag+1)
	p[0] = 1
	for i, c := range coefficients {
		p[(i+1)*lag] = sign * c
	}
	return p
}

// differencing is (1−B)^d (1−B^period)^seasonal.
func differencing(d, seasonal, period int) polynomial {
	p := polynomial{1}
	for range d {
		p = p.times(polynomial{1, -1})
	}
	for range seasonal {
		p = p.times(lagged([]float64{1}, period, -1))
	}
	return p
}

// apply filters x, losing as many points as the polynomial has powers.
func (p polynomial) apply(x []float64) []float64 {
	if len(x) < len(p) {
		return nil
	}
	out := make([]float64, len(x)-len(p)+1)
	for i, c := range p {
		if c == 0 {
			continue
		}
		for t := range out {
			out[t] += c * x[t+len(p)-1-i]
		}
	}
	return out
}

// fromPartials turns unbounded numbers into the coefficients of a stationary
// autoregression, through its partial autocorrelations (Jones, Technometrics
// 22, 1980; Durbin–Levinson recursion).
func fromPartials(x []float64) []float64 {
	coefficients := make([]float64, len(x))
	before := make([]float64, len(x))
	for k, v := range x {
		partial := math.Tanh(v)
		copy(before, coefficients[:k])
		coefficients[k] = partial
		for j := range k {
			coefficients[j] = before[j] - partial*before[k-1-j]
		}
	}
	return coefficients
}
