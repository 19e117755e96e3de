package contribution

import "math"

// Change finds where a series changed its level most: the index of the first value
// after it, and by how many standard errors the means on both sides differ. At
// least a tenth of the values, and three, lie on either side. It is 0 where the
// series is too short.
func Change(values []float64) (at int, deviation float64) {
	least := max(3, len(values)/10)
	var count, sum, squares []float64
	c, s, q := 0.0, 0.0, 0.0
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			c, s, q = c+1, s+v, q+v*v
		}
		count, sum, squares = append(count, c), append(sum, s), append(squares, q)
	}
	for i := least; i <= len(values)-least; i++ {
		n, m := count[i-1], c-count[i-1]
		if n < 3 || m < 3 {
			continue
		}
		before, after := sum[i-1]/n, (s-sum[i-1])/m
		within := (squares[i-1] - n*before*before) + (q - squares[i-1] - m*after*after)
		spread := math.Sqrt(max(within, 0)/(n+m-2)) * math.Sqrt(1/n+1/m)
		if floor := 1e-12 * (math.Abs(before) + math.Abs(after)); spread < floor {
			spread = floor
		}
		if spread == 0 {
			continue
		}
		if d := math.Abs(after-before) / spread; d > deviation {
			at, deviation = i, d
		}
	}
	return at, deviation
}
