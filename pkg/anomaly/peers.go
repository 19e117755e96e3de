package anomaly

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// minPeers are needed to tell which one is odd: of two, either may be.
	minPeers = 3
	// spreadValues is about how many values of the group tell its spread.
	spreadValues = 60
	// calmSpread is the least spread as a share of that of the day before, so that
	// series that agree for a moment do not make noise large.
	calmSpread = 0.25
	// spreadlessShare is the share of points without any spread from which on the
	// group has none to compare with, as replicas that mostly are equal.
	spreadlessShare = 0.1
)

// Group is what several series of one kind, as the replicas of a service, have in
// common at each point: what all of them do is usual for each.
type Group struct {
	grid   series.Series // without values
	size   int
	center []float64 // median of the series; NaN where fewer than three are there
	// spread is what the distance from it is measured in: the median absolute
	// deviation of the last points, the median itself where series differ by
	// factors; nil for the unit of the series.
	spread []float64
}

// NewGroup takes the median and the spread of series on one grid. Up to half of
// them less one may be odd at the same time. What lies before from tells whether
// the group has a spread at all.
func NewGroup(members []series.Series, from time.Time) (Group, error) {
	if len(members) < minPeers {
		return Group{}, fmt.Errorf("%w: peers compares at least %d series, the query returned %d", ErrBadRequest, minPeers, len(members))
	}
	g := Group{grid: members[0], size: len(members)}
	g.grid.Values = nil
	n := members[0].Len()
	g.center, g.spread = make([]float64, n), make([]float64, n)
	at := make([]float64, 0, len(members))
	for i := range n {
		at = at[:0]
		for _, m := range members {
			if m.Len() != n || m.Step != g.grid.Step || !m.Start.Equal(g.grid.Start) {
				return Group{}, fmt.Errorf("%w: the series lie on different grids", ErrBadRequest)
			}
			if v := m.Values[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
				at = append(at, v)
			}
		}
		g.center[i], g.spread[i] = math.NaN(), math.NaN()
		if len(at) >= minPeers {
			g.center[i] = stats.MedianOf(at)
			for k, v := range at {
				at[k] = math.Abs(v - g.center[i])
			}
			g.spread[i] = stats.MedianOf(at)
		}
	}
	g.smooth(min(max(g.grid.Index(Epoch(from, g.grid.Step)), 0), n))
	return g, nil
}

// smooth takes the spread over the last points: that of few series at one point
// is chance.
func (g *Group) smooth(past int) {
	if g.proportional(past) {
		g.spread = g.center
		return
	}
	none, seen := 0, 0
	for _, s := range g.spread[:past] {
		if !math.IsNaN(s) {
			seen++
		}
		if s == 0 {
			none++
		}
	}
	if float64(none) > spreadlessShare*float64(seen) {
		g.spread = nil
		return
	}
	short := trailingMedian(g.spread, max(spreadValues/g.size, 1))
	long := trailingMedian(g.spread, max(int(day/g.grid.Step), minLearned))
	for i := range g.spread {
		g.spread[i] = max(short[i], calmSpread*long[i])
	}
}

// proportional tells whether the members differ by factors: the more there is of
// all, the further they lie apart.
func (g *Group) proportional(past int) bool {
	var x, y []float64
	for i := range past {
		if g.center[i] > 0 && g.spread[i] > 0 {
			x, y = append(x, math.Log(g.center[i])), append(y, math.Log(g.spread[i]))
		}
	}
	return len(x) > past/2 && stats.Spread(x) >= variedFrom && elasticity(x, y) >= proportionalFrom
}

// trailingMedian is the median of the window values up to each one; at the
// beginning, of the first window.
func trailingMedian(values []float64, window int) []float64 {
	window = min(window, max(len(values), 1))
	centered := series.MovingMedian(values, window)
	trailing := make([]float64, len(values))
	for i := range trailing {
		trailing[i] = centered[max(i-window+1, 0)+window/2]
	}
	return trailing
}

// Detect judges one member of the group: how far it lies from the others,
// compared with how far it usually does. What all members do is not unusual. The
// request's history is the member's own, or the beginning of it; errors are those
// of Detect.
func (g Group) Detect(r Request) (Result, error) {
	if err := validate(&r); err != nil {
		return Result{}, err
	}
	if r.History.Len() > len(g.center) || r.History.Step != g.grid.Step || !r.History.Start.Equal(g.grid.Start) {
		return Result{}, fmt.Errorf("%w: the series is not on the grid of its group", ErrBadRequest)
	}
	own := r.History.Values
	apart := r
	apart.MinDeviation, apart.MinRelativeDeviation, apart.NonNegative = 0, 0, false
	// A member that is the median repeats zero.
	apart.Detectors = slices.DeleteFunc(slices.Clone(r.Detectors), func(name string) bool { return name == detector.Frozen{}.Name() })
	apart.History.Values = make([]float64, len(own))
	for i, v := range own {
		apart.History.Values[i] = (v - g.center[i]) / g.spreadAt(i)
	}
	result, err := Detect(apart)
	if err != nil {
		return Result{}, err
	}
	first := len(own) - result.Actual.Len()
	gates := gates{r.Direction, r.MinDeviation, r.MinRelativeDeviation, r.Probability, r.NonNegative}
	result.Actual.Values = slices.Clone(own[first:])
	for i := range result.Score {
		for _, line := range [][]float64{result.Expected, result.Lower, result.Upper} {
			line[i] = bounded(g.center[first+i] + line[i]*g.spreadAt(first+i))
			if r.NonNegative {
				line[i] = max(line[i], 0)
			}
		}
		if result.Score[i] > 0 && !gates.counts(result.Actual.Values[i], result.Expected[i]) {
			result.Score[i] = 0
		}
	}
	result.Events = r.constants().Events(result, r.Threshold)
	result.Shifts = nil // they are in units of the group's spread
	result.Notices = nil
	result.notice("compared with the median of %d series", g.size)
	if missing := result.Actual.Len() - len(stats.Observed(result.Score)); missing > 0 {
		result.notice("%d of %d points were not judged: the series or too many others are missing there", missing, result.Actual.Len())
	}
	return result, nil
}

func (g Group) spreadAt(i int) float64 {
	switch {
	case g.spread == nil:
		return 1
	case g.spread[i] > 0:
		return g.spread[i]
	}
	return math.NaN()
}
