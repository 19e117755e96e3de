package series

import "math"

// loess is locally weighted regression on a regular grid with the tricube
// kernel (Cleveland, Cleveland, McRae and Terpenning, "STL", Journal of Official
// Statistics 6, 1990, section 2.1).
type loess struct {
	window int // points in a neighbourhood; odd
	degree int // 0 or 1
	jump   int // evaluate every jump-th point and draw lines between
}

// smooth evaluates the regression at every point of y into out. weights may be
// nil.
func (l loess) smooth(y, weights, out []float64) {
	n := len(y)
	if n < 2 {
		copy(out, y)
		return
	}
	jump := min(max(l.jump, 1), n-1)
	scratch := make([]float64, min(l.window, n))
	last := 0
	for i := 0; i < n; i += jump {
		out[i] = l.evaluate(y, weights, i, scratch)
		line(out, last, i)
		last = i
	}
	if last != n-1 {
		out[n-1] = l.evaluate(y, weights, n-1, scratch)
		line(out, last, n-1)
	}
}

// evaluate is the fit at point i of y, or y[i] where no neighbour has weight.
func (l loess) evaluate(y, weights []float64, i int, scratch []float64) float64 {
	n := len(y)
	left := 0
	if l.window < n {
		left = min(max(i-(l.window+1)/2+1, 0), n-l.window)
	}
	v, ok := l.at(y, weights, float64(i), left, left+min(l.window, n)-1, scratch)
	if !ok {
		return y[i]
	}
	return v
}

// at is the fit at position x from the points left to right.
func (l loess) at(y, weights []float64, x float64, left, right int, scratch []float64) (float64, bool) {
	n := len(y)
	h := max(x-float64(left), float64(right)-x)
	if l.window > n {
		h += float64((l.window - n) / 2)
	}
	near, far := 0.001*h, 0.999*h
	w := scratch[:right-left+1]
	total := 0.0
	for j := range w {
		r := math.Abs(float64(left+j) - x)
		w[j] = 0
		if r <= far {
			w[j] = 1
			if r > near {
				q := r / h
				q = 1 - q*q*q
				w[j] = q * q * q
			}
			if weights != nil {
				w[j] *= weights[left+j]
			}
			total += w[j]
		}
	}
	if total <= 0 {
		return 0, false
	}
	center := 0.0
	for j := range w {
		w[j] /= total
		center += w[j] * float64(left+j)
	}
	if h > 0 && l.degree > 0 {
		spread := 0.0
		for j, weight := range w {
			d := float64(left+j) - center
			spread += weight * d * d
		}
		if math.Sqrt(spread) > 0.001*float64(n-1) {
			slope := (x - center) / spread
			for j := range w {
				w[j] *= slope*(float64(left+j)-center) + 1
			}
		}
	}
	sum := 0.0
	for j, weight := range w {
		sum += weight * y[left+j]
	}
	return sum, true
}

// line fills out between two evaluated points.
func line(out []float64, from, to int) {
	for i := from + 1; i < to; i++ {
		out[i] = out[from] + (out[to]-out[from])*float64(i-from)/float64(to-from)
	}
}
