package detector

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// recentMemory is how long usual changes are remembered: what was usual
	// yesterday is, what was usual two weeks ago need not be.
	recentMemory       = 24 * time.Hour
	recentFewestPoints = 30
	// recentClip is how many usual changes one may count when it is remembered.
	recentClip = 4
)

// Recent is the change away from the expectation since the point before, in
// usual changes of the last day:
// it has a short memory where all others have a long one, and needs to know
// neither level nor season.
type Recent struct{}

// Name implements Detector.
func (Recent) Name() string { return "recent" }

func (Recent) neighbours() {}

// Learn implements Detector. A short past makes the memory short.
func (Recent) Learn(past Input) Watcher {
	points := min(past.points(recentMemory, recentFewestPoints), max(len(past.Residual)/2, recentFewestPoints))
	first := make([]float64, 0, recentFewestPoints)
	for i := 1; i < len(past.Residual) && len(first) < recentFewestPoints; i++ {
		if change := math.Abs(past.Residual[i] - past.Residual[i-1]); !math.IsNaN(change) {
			first = append(first, change)
		}
	}
	usual := stats.MedianOf(first)
	if math.IsNaN(usual) {
		usual = 0
	}
	return &recentChange{rate: 1 / float64(points), usual: usual, floor: past.Resolution, before: math.NaN(), score: math.NaN()}
}

type recentChange struct {
	rate, usual, floor, before, score float64
}

func (c *recentChange) Observe(_, residual float64) {
	change := residual - c.before
	if c.before = residual; math.IsNaN(change) {
		c.score = math.NaN()
		return
	}
	usual := max(c.usual, c.floor)
	size := math.Abs(change)
	away := min(size, math.Abs(residual)) // the way back to what is usual is no news
	switch {
	case change == 0 || change > 0 != (residual > 0):
		c.score = 0
	case usual == 0:
		c.score = math.NaN() // nothing ever changed to compare with
	default:
		c.score = math.Copysign(min(away/usual, math.MaxFloat64), change)
	}
	if usual > 0 {
		size = min(size, recentClip*usual)
	}
	c.usual += c.rate * (size - c.usual)
}

func (c *recentChange) Score() float64 { return c.score }

func (c *recentChange) Clone() Watcher {
	clone := *c
	return &clone
}
