package series

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// maxGrid bounds the points that FromPoints lays out, so that two stray
// timestamps years apart cannot fill memory.
const maxGrid = 10_000_000

// FromPoints lays irregular observations on the regular grid of multiples of
// step since the Unix epoch: each grid point is the mean of the observations in
// [t, t+step), missing where there is none. Order does not matter. It fails
// where lengths differ, the step is not positive, or the grid is too long.
func FromPoints(labels Labels, times []time.Time, values []float64, step time.Duration) (Series, error) {
	if len(times) != len(values) {
		return Series{}, fmt.Errorf("%d timestamps for %d values", len(times), len(values))
	}
	if step <= 0 {
		return Series{}, fmt.Errorf("the step must be positive, not %s", step)
	}
	if len(times) == 0 {
		return Series{Labels: labels, Step: step}, nil
	}
	first := slices.MinFunc(times, time.Time.Compare)
	last := slices.MaxFunc(times, time.Time.Compare)
	start := Floor(first, step)
	n := last.Sub(start)/step + 1
	if n > maxGrid {
		return Series{}, fmt.Errorf("%d points from %s to %s at a step of %s are more than %d", n, first, last, step, maxGrid)
	}
	sums, counts := make([]float64, n), make([]int, n)
	for i, t := range times {
		if v := values[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			at := t.Sub(start) / step
			sums[at] += v
			counts[at]++
		}
	}
	for i := range sums {
		sums[i] /= float64(counts[i]) // 0/0: missing
	}
	return Series{Labels: labels, Start: start, Step: step, Values: sums}, nil
}

// Floor is the last multiple of step since the Unix epoch not after t.
func Floor(t time.Time, step time.Duration) time.Time {
	beyond := t.UnixNano() % int64(step)
	if beyond < 0 {
		beyond += int64(step)
	}
	return t.Add(-time.Duration(beyond))
}

// Finite copies the values with infinities made missing, and counts those.
func Finite(values []float64) (finite []float64, infinite int) {
	finite = slices.Clone(values)
	for i, v := range finite {
		if math.IsInf(v, 0) {
			finite[i] = math.NaN()
			infinite++
		}
	}
	return finite, infinite
}

// Coarsen averages each group of factor values, missing ones left out. Groups
// are counted from the end, so that the last one is whole; an incomplete first
// group is dropped.
func Coarsen(values []float64, factor int) []float64 {
	n := len(values) / factor
	coarse := make([]float64, n)
	offset := len(values) - n*factor
	for i := range coarse {
		sum, count := 0.0, 0
		for _, v := range values[offset+i*factor : offset+(i+1)*factor] {
			if !math.IsNaN(v) {
				sum += v
				count++
			}
		}
		coarse[i] = sum / float64(count)
	}
	return coarse
}
