package engine

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// finestStep is the finest grid that models learn from unless a query names
	// a step: below it, noise and scrape jitter outweigh what is learned.
	finestStep = time.Minute
	// maxPoints bounds the history of one series: 14 days at one minute with
	// room to spare.
	maxPoints = 30_000
	// historyAnchor is the boundary at which history is cut off from the asked
	// window, so that the history's query stays the same, and cached, while the
	// window moves on.
	historyAnchor = time.Hour
)

// steps are the grids to choose from; a fixed ladder keeps a small zoom from
// changing the model's data.
var steps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// grid is a window with its history, all instants on one grid of step.
type grid struct {
	start  time.Time // of the history
	anchor time.Time // history is fetched up to here, the rest from here
	from   time.Time // of the asked window
	to     time.Time // last point, not in the future
	step   time.Duration
	wished time.Duration // by the query; 0 where it left the choice
}

// gridFor aligns a window and its history. A wished step of 0 lets the panel's
// resolution choose from the ladder.
func gridFor(window Window, history, wished time.Duration, now time.Time) grid {
	step := wished
	if step == 0 {
		step = stepFor(max(window.Step, finestStep))
	}
	if least := (history + window.To.Sub(window.From)) / maxPoints; step < least {
		step = stepFor(least)
	}
	to := window.To
	if to.After(now) {
		to = now
	}
	g := grid{from: floor(window.From, step), to: floor(to, step), step: step, wished: wished}
	if g.from.After(g.to) {
		g.from = g.to
	}
	g.anchor = floor(floor(g.from, historyAnchor), step)
	g.start = floor(g.anchor.Add(-history), step)
	return g
}

// judgingGrid is the grid on which points are judged. Neither the panel's width
// nor where the window begins changes it, or what is learned from, so that a
// point has one score wherever it is shown; only a window too long for the
// finest grid has a coarser one. Reach is how far before the window points are
// judged too.
func judgingGrid(window Window, history, wished, reach time.Duration, now time.Time) grid {
	window.Step = 0
	g := gridFor(window, history, wished, now)
	g.start = floor(anomaly.Epoch(g.from.Add(-reach), g.step).Add(-history), g.step)
	return g
}

func stepFor(least time.Duration) time.Duration {
	for _, step := range steps {
		if step >= least {
			return step
		}
	}
	return floorDuration(least+24*time.Hour-1, 24*time.Hour)
}

// parts are the two windows to fetch: the history, which rarely changes, and
// the rest.
func (g grid) parts() []upstream.Range {
	recent := upstream.Range{Start: g.anchor, End: g.to, Step: g.step}
	if !g.start.Before(g.anchor) {
		return []upstream.Range{recent}
	}
	return []upstream.Range{{Start: g.start, End: g.anchor.Add(-g.step), Step: g.step}, recent}
}

func (g grid) points() int { return int(g.to.Sub(g.start)/g.step) + 1 }

// floor is the last multiple of step since the Unix epoch that is not after t.
func floor(t time.Time, step time.Duration) time.Time {
	nanoseconds := t.UnixNano()
	remainder := nanoseconds % int64(step)
	if remainder < 0 {
		remainder += int64(step)
	}
	return time.Unix(0, nanoseconds-remainder).UTC()
}

func floorDuration(d, unit time.Duration) time.Duration { return d - d%unit }
