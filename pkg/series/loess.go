package series

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// loess is locally weighted regression on a regular grid with the tricube
// kernel (Cleveland, Cleveland, McRae and Terpenning, "STL", Journal of Official
// Statistics 6, 1990, section 2.1).
type loess struct {
	window int // points in a neighbourhood; odd
	degree int // 0 or 1
	jump   int // evaluate every jump-th point and draw lines between
	known  kernels
}

// kernels are what loess makes of neighbourhoods, which are alike but at the
// ends of a series. A nil one remembers nothing.
type kernels map[kernelsOf]map[int]*kernel

// kernelsOf a smoother for series of one length. The index of its map is how far
// the point of the regression lies from the first of its neighbourhood.
type kernelsOf struct{ window, degree, length int }

// kernel is one neighbourhood.
type kernel struct {
	tricube []float64
	// linear are the weights of the neighbours in the regression where all
	// observations count alike; nil where none counts.
	linear []float64
	// narrow is the spread of the neighbours up to which they have no slope.
	narrow float64
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
	of := l.kernels(n)
	last := 0
	for i := 0; i < n; i += jump {
		out[i] = l.evaluate(of, y, weights, i)
		line(out, last, i)
		last = i
	}
	if last != n-1 {
		out[n-1] = l.evaluate(of, y, weights, n-1)
		line(out, last, n-1)
	}
}

func (l loess) kernels(n int) map[int]*kernel {
	key := kernelsOf{l.window, l.degree, n}
	of, ok := l.known[key]
	if !ok {
		of = map[int]*kernel{}
		if l.known != nil {
			l.known[key] = of
		}
	}
	return of
}

// evaluate is the fit at point i of y, or y[i] where no neighbour has weight.
func (l loess) evaluate(of map[int]*kernel, y, weights []float64, i int) float64 {
	n := len(y)
	left := 0
	if l.window < n {
		left = min(max(i-(l.window+1)/2+1, 0), n-l.window)
	}
	v, ok := l.at(of, y, weights, i, left, left+min(l.window, n)-1)
	if !ok {
		return y[i]
	}
	return v
}

// at is the fit at position x from the points left to right.
func (l loess) at(of map[int]*kernel, y, weights []float64, x, left, right int) (float64, bool) {
	k, ok := of[x-left]
	if !ok {
		k = l.kernel(x-left, right-left+1, len(y))
		of[x-left] = k
	}
	y = y[left : right+1]
	if weights == nil {
		if k.linear == nil {
			return 0, false
		}
		return floats.Dot(k.linear, y), true
	}
	weights = weights[left : right+1]
	var total, first, second, sum, cross float64 // moments about x
	d := float64(left - x)
	for j, tricube := range k.tricube {
		w := tricube * weights[j]
		total += w
		sum += w * y[j]
		first += w * d
		second += w * d * d
		cross += w * d * y[j]
		d++
	}
	if total <= 0 {
		return 0, false
	}
	mean, center := sum/total, first/total
	if spread := second/total - center*center; math.Sqrt(max(spread, 0)) > k.narrow {
		mean -= center * (cross/total - center*mean) / spread
	}
	return mean, true
}

// kernel is a neighbourhood of count points, the first of which lies offset
// before the point of the regression, in a series of n.
func (l loess) kernel(offset, count, n int) *kernel {
	h := float64(max(offset, count-1-offset))
	if l.window > n {
		h += float64((l.window - n) / 2)
	}
	k := &kernel{tricube: make([]float64, count), narrow: math.Inf(1)}
	if h > 0 && l.degree > 0 {
		k.narrow = 0.001 * float64(n-1)
	}
	total, center := 0.0, 0.0
	for j := range k.tricube {
		switch r := math.Abs(float64(j - offset)); {
		case r <= 0.001*h:
			k.tricube[j] = 1
		case r <= 0.999*h:
			q := r / h
			q = 1 - q*q*q
			k.tricube[j] = q * q * q
		}
		total += k.tricube[j]
		center += k.tricube[j] * float64(j-offset)
	}
	if total <= 0 {
		return k
	}
	center /= total
	k.linear = make([]float64, count)
	spread := 0.0
	for j, w := range k.tricube {
		k.linear[j] = w / total
		d := float64(j-offset) - center
		spread += k.linear[j] * d * d
	}
	if math.Sqrt(spread) > k.narrow {
		for j := range k.linear {
			k.linear[j] *= 1 - center*(float64(j-offset)-center)/spread
		}
	}
	return k
}

// line fills out between two evaluated points.
func line(out []float64, from, to int) {
	slope := (out[to] - out[from]) / float64(to-from)
	for i := from + 1; i < to; i++ {
		out[i] = out[from] + slope*float64(i-from)
	}
}
