package series

import (
	"fmt"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// STL decomposes a series into trend, season and remainder by loess (Cleveland
// et al. 1990). The zero value of a field takes the paper's default.
type STL struct {
	Period   int
	Seasonal int // window of the cycle-subseries smoother; odd, at least 3; default 7
	Trend    int // default: the least odd number from 1.5·Period/(1−1.5/Seasonal) on
	LowPass  int // default: the least odd number above Period
	// Degrees of the local polynomials, 0 or 1.
	SeasonalDegree, TrendDegree, LowPassDegree int
	// Jumps: evaluate every so many points; default 1.
	SeasonalJump, TrendJump, LowPassJump int
	// Sparse sets jumps that are not given to a tenth of their window, as R does.
	Sparse bool
	Inner  int // passes; default 2
	// Outer passes give points far from the fit less weight, so that incidents
	// shape neither trend nor season; default 0.
	Outer int
	// kernels are shared by the decompositions of one series; nil for one alone.
	kernels kernels
}

// Decomposition is what a series consists of. Trend plus seasons plus remainder
// is the series.
type Decomposition struct {
	Trend     []float64
	Seasons   [][]float64 // one per period
	Remainder []float64
	Weights   []float64 // robustness weights, 1 for ordinary points
}

func (s STL) withDefaults() STL {
	if s.Seasonal == 0 {
		s.Seasonal = 7
	}
	if s.Trend == 0 {
		s.Trend = odd(int(math.Ceil(1.5 * float64(s.Period) / (1 - 1.5/float64(s.Seasonal)))))
	}
	if s.LowPass == 0 {
		s.LowPass = odd(s.Period + 1)
	}
	for jump, window := range map[*int]int{&s.SeasonalJump: s.Seasonal, &s.TrendJump: s.Trend, &s.LowPassJump: s.LowPass} {
		switch {
		case *jump > 0:
		case s.Sparse:
			*jump = (window + 9) / 10
		default:
			*jump = 1
		}
	}
	if s.Inner == 0 {
		s.Inner = 2
	}
	if s.kernels == nil {
		s.kernels = kernels{}
	}
	return s
}

func odd(n int) int { return n + 1 - n%2 }

// Decompose needs two periods. weights, where not nil, scale the influence of
// each point; a point of weight zero (a filled gap) has none.
func (s STL) Decompose(y, weights []float64) (Decomposition, error) {
	n := len(y)
	if s.Period < 2 || 2*s.Period > n {
		return Decomposition{}, fmt.Errorf("a period of %d points cannot be found in %d: at least two cycles are needed", s.Period, n)
	}
	s = s.withDefaults()
	w := newSTLWork(s, y)
	current := weights
	robustness := make([]float64, n)
	for i := range robustness {
		robustness[i] = 1
	}
	for pass := 0; ; pass++ {
		for range s.Inner {
			w.inner(current)
		}
		if pass >= s.Outer {
			break
		}
		w.robustness(robustness)
		current = robustness
		if weights != nil {
			current = make([]float64, n)
			for i := range current {
				current[i] = robustness[i] * weights[i]
			}
		}
	}
	remainder := make([]float64, n)
	for i := range remainder {
		remainder[i] = y[i] - w.trend[i] - w.season[i]
	}
	return Decomposition{Trend: w.trend, Seasons: [][]float64{w.season}, Remainder: remainder, Weights: robustness}, nil
}

// stlWork holds the components and what the inner loop needs again and again.
type stlWork struct {
	STL
	y, trend, season []float64
	rest, low        []float64
	cycles, a, b     []float64 // n+2·period
	sub, subWeights  []float64 // one cycle-subseries
	smoothed         []float64 // and one cycle more at both ends
	maps             map[int][][]float64
}

func newSTLWork(s STL, y []float64) *stlWork {
	n, long := len(y), len(y)+2*s.Period
	w := &stlWork{STL: s, y: y}
	for _, x := range []*[]float64{&w.trend, &w.season, &w.rest, &w.low} {
		*x = make([]float64, n)
	}
	for _, x := range []*[]float64{&w.cycles, &w.a, &w.b} {
		*x = make([]float64, long)
	}
	longest := n/s.Period + 1
	w.sub, w.subWeights, w.smoothed = make([]float64, longest), make([]float64, longest), make([]float64, longest+2)
	w.maps = map[int][][]float64{}
	return w
}

// inner is one pass of the inner loop (section 2.3 of the paper).
func (w *stlWork) inner(weights []float64) {
	for i := range w.rest {
		w.rest[i] = w.y[i] - w.trend[i]
	}
	w.smoothCycles(weights)
	n := len(w.y)
	long := n + 2*w.Period
	movingAverage(w.cycles, w.Period, w.a[:long-w.Period+1])
	movingAverage(w.a[:long-w.Period+1], w.Period, w.b[:long-2*w.Period+2])
	movingAverage(w.b[:n+2], 3, w.a[:n])
	loess{w.LowPass, w.LowPassDegree, w.LowPassJump, w.kernels}.smooth(w.a[:n], nil, w.low)
	for i := range w.season {
		w.season[i] = w.cycles[w.Period+i] - w.low[i]
		w.rest[i] = w.y[i] - w.season[i]
	}
	loess{w.Trend, w.TrendDegree, w.TrendJump, w.kernels}.smooth(w.rest, weights, w.trend)
}

// smoothCycles smooths each phase's subseries, one cycle beyond both ends. Without
// weights that is the same linear map for all phases of one length.
func (w *stlWork) smoothCycles(weights []float64) {
	for phase := range w.Period {
		k := 0
		for i := phase; i < len(w.rest); i += w.Period {
			w.sub[k] = w.rest[i]
			if weights != nil {
				w.subWeights[k] = weights[i]
			}
			k++
		}
		out := w.smoothed[:k+2]
		if weights == nil && k <= longestMap {
			for m, row := range w.mapOf(k) {
				out[m] = 0
				for i, v := range row {
					out[m] += v * w.sub[i]
				}
			}
		} else {
			var subWeights []float64
			if weights != nil {
				subWeights = w.subWeights[:k]
			}
			w.smoothCycle(w.sub[:k], subWeights, out)
		}
		for m, v := range out {
			w.cycles[m*w.Period+phase] = v
		}
	}
}

// smoothCycle smooths one subseries into out, which is one longer at both ends.
func (w *stlWork) smoothCycle(sub, weights, out []float64) {
	k := len(sub)
	l := loess{w.Seasonal, w.SeasonalDegree, w.SeasonalJump, w.kernels}
	of := l.kernels(k)
	fitted := out[1 : k+1]
	l.smooth(sub, weights, fitted)
	before, ok := l.at(of, sub, weights, -1, 0, min(l.window, k)-1)
	if !ok {
		before = fitted[0]
	}
	after, ok := l.at(of, sub, weights, k, max(k-l.window, 0), k-1)
	if !ok {
		after = fitted[k-1]
	}
	out[0], out[k+1] = before, after
}

// longestMap is up to how many cycles the smoother is a matrix.
const longestMap = 64

// mapOf is the smoother of k cycles as a matrix: what it makes of each unit vector.
func (w *stlWork) mapOf(k int) [][]float64 {
	if m, ok := w.maps[k]; ok {
		return m
	}
	m := make([][]float64, k+2)
	for i := range m {
		m[i] = make([]float64, k)
	}
	unit, out := make([]float64, k), make([]float64, k+2)
	for j := range k {
		unit[j] = 1
		w.smoothCycle(unit, nil, out)
		unit[j] = 0
		for i, v := range out {
			m[i][j] = v
		}
	}
	w.maps[k] = m
	return m
}

// robustness are bisquare weights of the remainder, zero beyond six median
// absolute deviations.
func (w *stlWork) robustness(weights []float64) {
	for i := range weights {
		weights[i] = math.Abs(w.y[i] - w.trend[i] - w.season[i])
	}
	limit := 6 * stats.MedianOf(slices.Clone(weights))
	for i, r := range weights {
		switch {
		case r <= 0.001*limit:
			weights[i] = 1
		case r <= 0.999*limit:
			q := r / limit
			weights[i] = (1 - q*q) * (1 - q*q)
		default:
			weights[i] = 0
		}
	}
}

// movingAverage is the mean of every window of x, as many as out holds.
func movingAverage(x []float64, window int, out []float64) {
	sum := 0.0
	for _, v := range x[:window] {
		sum += v
	}
	out[0] = sum / float64(window)
	for i := 1; i < len(out); i++ {
		sum += x[i+window-1] - x[i-1]
		out[i] = sum / float64(window)
	}
}
