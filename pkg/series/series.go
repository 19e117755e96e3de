// Package series holds time series on a regular grid: the plain type that
// upstreams fill and that forecasts and detectors read.
package series

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Labels identify a series, as Prometheus labels do. Names are
// Prometheus-valid; values are unquoted.
type Labels map[string]string

// String renders the labels in Prometheus' order and notation, so that equal
// label sets give equal strings.
func (l Labels) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(l)) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name + `="` + l[name] + `"`)
	}
	b.WriteByte('}')
	return b.String()
}

// Series is a sequence of observations, one per step. Values[i] was observed
// at Start + i·Step. A missing observation is NaN; a zero is a zero.
type Series struct {
	Labels Labels
	Start  time.Time
	Step   time.Duration
	Values []float64
}

// Len is the number of grid points, missing ones included.
func (s Series) Len() int { return len(s.Values) }

// Time is the instant of grid point i, which may lie outside the series.
func (s Series) Time(i int) time.Time { return s.Start.Add(time.Duration(i) * s.Step) }

// Index is the number of the first grid point at or after t. It may lie
// outside the series.
func (s Series) Index(t time.Time) int {
	distance := t.Sub(s.Start)
	i := int(distance / s.Step)
	if distance > 0 && distance%s.Step != 0 {
		i++
	}
	return i
}

// Between is the part of the series with from ≤ time < to. The values are
// shared, not copied.
func (s Series) Between(from, to time.Time) Series {
	low := min(max(s.Index(from), 0), len(s.Values))
	high := min(max(s.Index(to), low), len(s.Values))
	return Series{Labels: s.Labels, Start: s.Time(low), Step: s.Step, Values: s.Values[low:high]}
}

// Missing are n missing values.
func Missing(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = math.NaN()
	}
	return values
}

// Observed is the number of points that are not missing.
func (s Series) Observed() int {
	n := 0
	for _, v := range s.Values {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n
}
