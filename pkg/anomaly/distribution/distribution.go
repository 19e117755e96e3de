// Package distribution compares the whole shape of a histogram with its usual shape
// at the time of the day: a second mode shows that no percentile shows.
package distribution

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

const (
	// day is what the usual shape follows, and days how many of them teach it: each
	// earlier one counts half as much again less.
	day, days, decay = 24 * time.Hour, 5, 0.7
	// around is how much before and after the same time on other days counts.
	around = 30 * time.Minute
	// drift is how far back what today differs by is followed, but not the latest
	// time, which is judged.
	drift, latest = 6 * time.Hour, 30 * time.Minute
	// spread is how far back the variation of shares is learned.
	spread = 3 * day
	// minMoved is the part of the observations whose move matters.
	minMoved = 0.02
	// minBounds is how few bounds tell a shape.
	minBounds = 3
	// enough is the part of the steps in which a bucket must be there.
	enough = 0.95
	// minObserved is how few observations a step must have.
	minObserved = 20
	// outlier bounds a deviation that teaches the variation, in standard deviations.
	outlier = 3
)

// Histogram is the cumulative buckets of a histogram on a grid.
type Histogram struct {
	Start time.Time
	Step  time.Duration
	// Bounds are the upper bounds of the buckets, without +Inf, ascending.
	Bounds []float64
	// Shares are, of each bound and step, the part of the observations up to it; NaN
	// where there is too little.
	Shares [][]float64
	// Observed is how many observations each step has.
	Observed []float64
	Notices  []string
}

// New lays out buckets: series with the label le, of observations per second over
// the given time. Buckets that were not there all the time are left out and named;
// the error says where too little is left.
func New(buckets []series.Series, over time.Duration) (Histogram, error) {
	byBound, err := boundsOf(buckets)
	if err != nil {
		return Histogram{}, err
	}
	all, known := byBound[math.Inf(1)]
	if !known {
		return Histogram{}, fmt.Errorf("the histogram has no bucket with le=\"+Inf\": keep the label le and all of its buckets, as in sum by (le) (rate(…_bucket[5m]))")
	}
	h := Histogram{Start: all.Start, Step: all.Step, Observed: make([]float64, all.Len())}
	total := 0
	for i, v := range all.Values {
		h.Observed[i] = v * over.Seconds()
		if h.Observed[i] >= minObserved {
			total++
		}
	}
	if total == 0 {
		return Histogram{}, fmt.Errorf("the histogram has fewer than %d observations in every step of %s", minObserved, over)
	}
	var left []string
	for _, bound := range slices.Sorted(maps.Keys(byBound)) {
		if math.IsInf(bound, 1) {
			continue
		}
		shares, there := h.shares(byBound[bound].Values, all.Values)
		if float64(there) < enough*float64(total) {
			left = append(left, strconv.FormatFloat(bound, 'g', -1, 64))
			continue
		}
		h.Bounds, h.Shares = append(h.Bounds, bound), append(h.Shares, shares)
	}
	if len(h.Bounds) < minBounds {
		return Histogram{}, fmt.Errorf("the histogram's buckets changed: of %d bounds only %d were there all the time, at least %d are needed; narrow the history to the time since the change", len(byBound)-1, len(h.Bounds), minBounds)
	}
	if len(left) > 0 {
		h.Notices = append(h.Notices, fmt.Sprintf("The histogram's buckets changed: the bounds %s were not there all the time and are not compared.", strings.Join(left, ", ")))
	}
	return h, nil
}

// boundsOf are the series by their le; those of equal bounds, as "1" and "1.0", add
// up.
func boundsOf(buckets []series.Series) (map[float64]series.Series, error) {
	byBound := map[float64]series.Series{}
	for _, b := range buckets {
		text, has := b.Labels["le"]
		if !has {
			return nil, fmt.Errorf("the query returned a series without the label le: keep it, as in sum by (le) (rate(…_bucket[5m]))")
		}
		bound, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(bound) {
			return nil, fmt.Errorf("the label le is %.40q: a bucket's bound is a number", text)
		}
		known, twice := byBound[bound]
		if !twice {
			b.Values = slices.Clone(b.Values)
			byBound[bound] = b
			continue
		}
		for i := range min(len(known.Values), len(b.Values)) {
			switch {
			case math.IsNaN(known.Values[i]):
				known.Values[i] = b.Values[i]
			case !math.IsNaN(b.Values[i]):
				known.Values[i] += b.Values[i]
			}
		}
	}
	return byBound, nil
}

// shares are the parts of all observations up to a bound.
func (h Histogram) shares(bucket, all []float64) (shares []float64, there int) {
	shares = make([]float64, len(all))
	for i := range shares {
		shares[i] = math.NaN()
		if h.Observed[i] >= minObserved && i < len(bucket) && bucket[i] >= 0 {
			shares[i] = min(bucket[i]/all[i], 1)
			there++
		}
	}
	return shares, there
}

// widths are how much of the scale each bound stands for, in logarithms.
func (h Histogram) widths() []float64 {
	widths := make([]float64, len(h.Bounds))
	for k := range widths {
		low, high := h.Bounds[max(k-1, 0)], h.Bounds[min(k+1, len(h.Bounds)-1)]
		widths[k] = 1
		if low > 0 {
			widths[k] = max(math.Log(high/low), 1e-3)
		}
	}
	return widths
}
