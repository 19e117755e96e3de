package core

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// MinStep is the finest grid that models learn from unless a query names
	// a step: below it, noise and scrape jitter outweigh what is learned.
	MinStep = time.Minute
	// maxScrapeStep is how far scrapes bound the step: an instant sees samples that
	// are no older than this, so that a longer step may see none.
	maxScrapeStep = 5 * time.Minute
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

// Grid is a window with its history, all instants on one grid of step.
type Grid struct {
	Start     time.Time // of the history
	anchor    time.Time // history is fetched up to here, the rest from here
	From      time.Time // of the asked window
	To        time.Time // last point, not in the future
	Step      time.Duration
	Requested time.Duration // by the query; 0 where it left the choice
	Range     time.Duration // of the requested window, for Grafana's $__range
	Complete  bool          // see Window
}

// NewGrid aligns a window and its history. A wished step of 0 lets the panel's
// resolution choose from the ladder.
func NewGrid(window Window, history, wanted time.Duration, now time.Time) Grid {
	step := wanted
	if step == 0 {
		step = StepFor(max(window.Step, min(window.Scrape, maxScrapeStep), MinStep))
	}
	if least := (history + window.To.Sub(window.From)) / maxPoints; step < least {
		step = StepFor(least)
	}
	to := window.To
	if to.After(now) {
		to = now
	}
	g := Grid{From: Floor(window.From, step), To: Floor(to, step), Step: step, Requested: wanted, Complete: window.Complete}
	g.Range = max(window.To.Sub(window.From).Round(time.Second), step)
	if g.From.After(g.To) {
		g.From = g.To
	}
	g.anchor = Floor(Floor(g.From, historyAnchor), step)
	g.Start = Floor(g.anchor.Add(-history), step)
	return g
}

// ScoringGrid is the grid on which points are judged. Neither the panel's width
// nor where the window begins changes it, or what is learned from, so that a
// point has one score wherever it is shown; only a window too long for the
// finest grid has a coarser one. Reach is how far before the window points are
// judged too.
func ScoringGrid(window Window, history, wanted, reach time.Duration, now time.Time) Grid {
	window.Step = 0
	g := NewGrid(window, history, wanted, now)
	g.Start = Floor(anomaly.Epoch(g.From.Add(-reach), g.Step).Add(-history), g.Step)
	return g
}

// StepFor is the shortest usual step that is not below least.
func StepFor(least time.Duration) time.Duration {
	for _, step := range steps {
		if step >= least {
			return step
		}
	}
	return floorDuration(least+24*time.Hour-1, 24*time.Hour)
}

// parts are the two windows to fetch: the history, which rarely changes, and
// the rest.
func (g Grid) parts() []upstream.Range {
	recent := upstream.Range{Start: g.anchor, End: g.To, Step: g.Step}
	if !g.Start.Before(g.anchor) {
		return []upstream.Range{recent}
	}
	return []upstream.Range{{Start: g.Start, End: g.anchor.Add(-g.Step), Step: g.Step}, recent}
}

func (g Grid) points() int { return int(g.To.Sub(g.Start)/g.Step) + 1 }

// Floor is the last multiple of step since the Unix epoch that is not after t.
func Floor(t time.Time, step time.Duration) time.Time {
	return series.Floor(t.Round(0), step).UTC() // without a monotonic clock
}

func floorDuration(d, unit time.Duration) time.Duration { return d - d%unit }

// Hourly widens a window to full hours, so that what exists is asked, and
// remembered, once for all the windows inside.
func Hourly(window Window) (from, to time.Time) {
	return Floor(window.From, time.Hour), Floor(window.To, time.Hour).Add(time.Hour)
}
