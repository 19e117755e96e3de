package detector

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	medianWindow       = 24 * time.Hour
	medianFewestPoints = 48
	// medianRefreshes per window are enough: a median over a day moves slowly.
	medianRefreshes = 24
	medianSample    = 288 // points of the window tell its median well enough
)

// Median is the distance from the median of the last day in median absolute
// deviations, whatever the season (Leys et al., Journal of Experimental Social
// Psychology 49, 2013).
type Median struct{}

// Name implements Detector.
func (Median) Name() string { return "median" }

// Learn implements Detector.
func (Median) Learn(past Input) Watcher { return &ofValues{newRolling(past)} }

type ofValues struct{ rolling }

func (w *ofValues) Observe(value, _ float64) { w.observe(value) }

func (w *ofValues) Clone() Watcher { return &ofValues{w.clone()} }

// rolling is how far the newest value lies from the median of those of a day
// before it, in their spread.
type rolling struct {
	sample          ring // every stride-th value
	stride, refresh int
	observed        int // points, missing ones included
	center, spread  float64
	value           float64
}

func newRolling(past Input) rolling {
	window := past.points(medianWindow, medianFewestPoints)
	stride := max(window/medianSample, 1)
	return rolling{
		sample: newRing((window + stride - 1) / stride), stride: stride, refresh: max(window/medianRefreshes, 1),
		center: math.NaN(), spread: math.NaN(), value: math.NaN(),
	}
}

func (r rolling) clone() rolling {
	r.sample = r.sample.clone()
	return r
}

func (r *rolling) observe(v float64) {
	if r.observed >= medianFewestPoints && (r.observed%r.refresh == 0 || math.IsNaN(r.center)) {
		r.center, r.spread = stats.Center(r.sample.held())
	}
	if r.observed%r.stride == 0 {
		r.sample.add(v)
	}
	r.observed++
	r.value = v
}

// Score is NaN where no deviation was ever seen to compare with.
func (r *rolling) Score() float64 {
	switch {
	case r.value == r.center:
		return 0
	case r.spread == 0:
		return math.NaN()
	}
	return bounded((r.value - r.center) / r.spread)
}
