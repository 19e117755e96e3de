package detector

import (
	"math"
	"time"
)

const (
	variationShort        = 30 * time.Minute
	variationFewestPoints = 12
	// variationFloor keeps the logarithm finite where nothing changes at all.
	variationFloor = 0.05
)

// Variation compares how much a series varies from point to point with what is
// usual: a signal that freezes or trembles, at whatever level.
type Variation struct{}

// Name implements Detector.
func (Variation) Name() string { return "variation" }

func (Variation) sideless() {}

// Learn implements Detector.
func (Variation) Learn(past Input) Watcher {
	rate := 1 - math.Exp(-1/float64(past.points(variationShort, variationFewestPoints)))
	return &changes{rate: rate, level: math.NaN(), before: math.NaN()}
}

type changes struct {
	rate, level, before float64
	missing             bool
}

func (c *changes) Observe(_, residual float64) {
	change := math.Abs(min(max(residual-c.before, -2*cusumClip), 2*cusumClip))
	c.before = residual
	if c.missing = math.IsNaN(change); c.missing {
		return
	}
	if math.IsNaN(c.level) {
		c.level = change
	}
	c.level += c.rate * (change - c.level)
}

// Score is the logarithm of the smoothed absolute change over its usual size.
func (c *changes) Score() float64 {
	if c.missing {
		return math.NaN()
	}
	return math.Log((c.level + variationFloor) / (1 + variationFloor))
}

func (c *changes) Clone() Watcher {
	clone := *c
	return &clone
}
