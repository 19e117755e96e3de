package anomaly

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// maxCount is the mean from which on counts are as good as continuous.
	maxCount = 30
	// minCounts observations tell a mean and a dispersion.
	minCounts = 100
	// hoursPerDay are the times of the day that have means of their own, each drawn
	// to the mean of all as hourPrior more observations would.
	hoursPerDay, hourPrior = 24, 12
	// leastDispersion is the variance over the mean below which whole numbers count
	// no events: chance alone has 1. Replicas and shares of a pool vary less.
	leastDispersion = 0.5
	// rareCounts is the share of the largest values that count as the next smaller
	// ones: past bursts do not teach.
	rareCounts = 0.001
)

// counts is how many events a point holds, in a metric that counts few of them:
// Poisson's distribution, or the negative binomial where counts vary more (rare
// bursts, many zeros). One point is never less probable than under it.
type counts struct {
	unit       float64 // of one event
	perDay     int
	mean       [hoursPerDay]float64 // events a point, by time of the day
	dispersion float64              // variance over mean, 1 for Poisson's
}

// learnCounts is nil where values are no small counts of events.
func learnCounts(y []float64, resolution float64, perDay int) *counts {
	observed := stats.Observed(y)
	if resolution == 0 || perDay < 1 || len(observed) < minCounts {
		return nil
	}
	slices.Sort(observed)
	if observed[0] < 0 {
		return nil
	}
	most := math.Inf(1)
	if distinct := observed[int((1-rareCounts)*float64(len(observed)-1))]; distinct > 0 {
		most = distinct
	}
	total := 0.0
	for _, v := range observed {
		if whole := math.Round(v / resolution); math.Abs(v/resolution-whole) > 1e-6*max(whole, 1) {
			return nil
		}
		total += min(v, most) / resolution
	}
	c := &counts{unit: resolution, perDay: perDay, dispersion: 1}
	overall := total / float64(len(observed))
	if overall > maxCount || overall == 0 {
		return nil
	}
	var n [hoursPerDay]float64
	for i, v := range y {
		if !math.IsNaN(v) {
			c.mean[c.hour(i)] += min(v, most) / resolution
			n[c.hour(i)]++
		}
	}
	for h := range c.mean {
		c.mean[h] = (c.mean[h] + hourPrior*overall) / (n[h] + hourPrior)
	}
	squares := 0.0
	for i, v := range y {
		if mean := c.mean[c.hour(i)]; !math.IsNaN(v) {
			d := min(v, most)/resolution - mean
			squares += d * d / mean
		}
	}
	c.dispersion = max(squares/float64(len(observed)), 1)
	if squares < leastDispersion*float64(len(observed)) {
		return nil
	}
	return c
}

func (c *counts) hour(i int) int { return i % c.perDay * hoursPerDay / c.perDay }

// probability is the two-sided probability of a count at least as far from what
// is expected at point i.
func (c *counts) probability(i int, v, expected float64) float64 {
	mean, count := c.mean[c.hour(i)], math.Round(v/c.unit)
	if v > expected {
		return min(2*c.atLeast(count, max(mean, expected/c.unit)), 1)
	}
	mean = max(min(mean, expected/c.unit), 0)
	return min(2*(1-c.atLeast(count+1, mean)), 1)
}

// atLeast is the probability of so many events or more.
func (c *counts) atLeast(count, mean float64) float64 {
	switch {
	case count <= 0:
		return 1
	case mean <= 0:
		return 0
	case c.dispersion-1 < 1e-6:
		return mathext.GammaIncReg(count, mean)
	}
	return mathext.RegIncBeta(count, mean/(c.dispersion-1), 1-1/c.dispersion)
}
