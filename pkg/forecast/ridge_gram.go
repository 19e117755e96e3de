package forecast

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// lagProducts are the centred products of lags with each other and with the
// value itself, which is all that a linear autoregression is fitted to.
type lagProducts struct {
	gram   *mat.SymDense // of the lags
	cross  []float64     // of each lag with the value
	total  float64       // of the value with itself
	means  []float64     // of each lag over the rows
	target float64       // mean of the value
	rows   int
}

// productsOf sums over the rows of z, the standardised history without gaps,
// whose value was observed. Two lags a distance apart have nearly the products of
// any other two that far apart: only what enters at one end and leaves at the
// other differs. So each distance is summed once and then moved along.
func productsOf(y, z []float64, lags []int) lagProducts {
	n, longest := len(z), lags[len(lags)-1]
	columns := append([]int{0}, lags...) // the value is its own lag of zero
	k := len(columns)
	sums := make([]float64, k)
	products := make([]float64, k*k)
	last := make(map[int]int, 4*k) // distance: the later column of the pair that has it
	for j := range k {
		for i := 0; i <= j; i++ {
			a, b := columns[i], columns[j]
			distance := b - a
			known, ok := last[distance]
			last[distance] = j
			if !ok {
				products[i*k+j] = floats.Dot(z[longest-a:n-a], z[longest-b:n-b])
				continue
			}
			// From the pair (b₀−distance, b₀) one point at a time to (a, b).
			b0 := columns[known]
			sum := products[pairOf(columns, b0-distance)*k+known]
			for lag := b0; lag < b; lag++ {
				enters, leaves := longest-1-lag, n-1-lag
				sum += z[enters]*z[enters+distance] - z[leaves]*z[leaves+distance]
			}
			products[i*k+j] = sum
		}
		sums[j] = floats.Sum(z[longest-columns[j] : n-columns[j]])
	}
	rows := n - longest
	for t := longest; t < n; t++ {
		if !math.IsNaN(y[t]) {
			continue
		}
		rows--
		for i, a := range columns {
			sums[i] -= z[t-a]
			for j := i; j < k; j++ {
				products[i*k+j] -= z[t-a] * z[t-columns[j]]
			}
		}
	}
	p := lagProducts{rows: rows}
	if rows == 0 {
		return p
	}
	count := float64(rows)
	p.gram, p.cross, p.means = mat.NewSymDense(k-1, nil), make([]float64, k-1), make([]float64, k-1)
	p.target, p.total = sums[0]/count, max(products[0]-sums[0]*sums[0]/count, 0)
	for j := 1; j < k; j++ {
		p.means[j-1] = sums[j] / count
		p.cross[j-1] = products[j] - sums[0]*sums[j]/count
		for i := 1; i <= j; i++ {
			p.gram.SetSym(i-1, j-1, products[i*k+j]-sums[i]*sums[j]/count)
		}
	}
	return p
}

// pairOf is the index of a lag among the ascending columns.
func pairOf(columns []int, lag int) int {
	low, high := 0, len(columns)
	for low < high {
		if middle := (low + high) / 2; columns[middle] < lag {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
