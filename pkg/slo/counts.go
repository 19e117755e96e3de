package slo

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Counts are the requests of each step, and how many of them were bad. A step
// without data is NaN in both, and counts as nothing.
type Counts struct {
	Start      time.Time
	Step       time.Duration
	Total, Bad []float64
	// Shares says that only the share of bad requests is known: each step then has
	// one request.
	Shares bool
}

const (
	// tolerated is by how much more good than total requests may be counted, as the
	// rates of two counters are extrapolated apart.
	tolerated = 1.05
	// contradicting is the share of steps beyond that from which on the two do not
	// count the same requests.
	contradicting = 0.05
)

// NewCounts checks counts: bad requests that are negative, or more than all, come
// of expressions that do not count the same requests. A few are the noise of
// rates, and are bounded. The error wraps ErrBadRequest.
func NewCounts(start time.Time, step time.Duration, total, bad []float64, shares bool) (Counts, error) {
	c := Counts{start, step, slices.Clone(total), slices.Clone(bad), shares}
	if len(total) != len(bad) || step <= 0 {
		return c, fmt.Errorf("%w: %d steps of all requests and %d of bad ones, of %s each", ErrBadRequest, len(total), len(bad), step)
	}
	observed, wrong := 0, 0
	for i := range c.Total {
		n, b := c.Total[i], c.Bad[i]
		if !(n >= 0) || math.IsNaN(b) || math.IsInf(n, 0) || math.IsInf(b, 0) {
			c.Total[i], c.Bad[i] = math.NaN(), math.NaN()
			continue
		}
		observed++
		if b < -(tolerated-1)*n || b > tolerated*n {
			wrong++
		}
		c.Bad[i] = min(max(b, 0), n)
	}
	if float64(wrong) > contradicting*float64(observed) {
		return c, fmt.Errorf("%w: in %d of %d steps there are more good or bad requests than requests: the expressions do not count the same requests", ErrBadRequest, wrong, observed)
	}
	return c, nil
}

// Len is the number of steps.
func (c Counts) Len() int { return len(c.Total) }

// Time is the instant of step i, which may lie outside.
func (c Counts) Time(i int) time.Time { return c.Start.Add(time.Duration(i) * c.Step) }

// Observed is the number of steps with data.
func (c Counts) Observed() (n int) {
	for _, total := range c.Total {
		if !math.IsNaN(total) {
			n++
		}
	}
	return n
}

// points is how many steps a time has, one at least.
func (c Counts) points(d time.Duration) int { return max(int(d/c.Step), 1) }

// at are the requests of a step; nothing where there are no data.
func (c Counts) at(i int) (total, bad float64) {
	if i < 0 || i >= c.Len() || math.IsNaN(c.Total[i]) {
		return 0, 0
	}
	return c.Total[i], c.Bad[i]
}

// ratio is the share of bad requests of a step; NaN where there are no requests.
func (c Counts) ratio(i int) float64 {
	total, bad := c.at(i)
	if total == 0 {
		return math.NaN()
	}
	return bad / total
}

// sum is that of the steps from up to, without, end.
func (c Counts) sum(from, end int) (total, bad float64) {
	for i := max(from, 0); i < min(end, c.Len()); i++ {
		n, b := c.at(i)
		total, bad = total+n, bad+b
	}
	return total, bad
}
