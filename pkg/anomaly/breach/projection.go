package breach

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/anomaly"
)

// projection is an epoch of which every point can be looked ahead from.
type projection struct {
	*trajectories
	step      time.Duration
	start     time.Time // of the epoch
	values    []float64 // from there on
	calm      []float64 // values without the seasons, after those of before
	threshold float64   // to be reached from below
	horizon   int
}

func newProjection(r Request, s anomaly.Split, known *trajectories, threshold float64) projection {
	o := projection{
		trajectories: known, step: r.History.Step, start: r.History.Time(s.Test), values: r.History.Values[s.Test:s.End],
		threshold: threshold, horizon: int(r.Horizon / r.History.Step),
	}
	o.calm = slices.Grow(slices.Clone(known.before), len(o.values))
	for i, v := range o.values {
		o.calm = append(o.calm, v-known.ahead[i])
	}
	return o
}

// last are so many points without the seasons, the newest of them i.
func (o projection) last(points, i int) []float64 {
	end := len(o.before) + i + 1
	return o.calm[max(end-points, 0):end]
}

// view is what the future looks like from one point.
type view struct {
	o        projection
	at       int
	current  float64
	level    float64
	slope    float64 // per point
	spread   float64 // of slopes that are chance
	window   int     // over which the slope was seen
	trending float64 // probability that it is no chance
	crossed  []float64
	beyond   bool // the threshold is crossed already
}

// at looks ahead from point i, which is known.
func (o projection) at(i int) view {
	v := view{o: o, at: i, current: o.values[i], crossed: make([]float64, o.horizon)}
	if math.IsNaN(v.current) {
		return v
	}
	if v.beyond = v.current >= o.threshold; v.beyond {
		return v
	}
	_, v.level = slopeOf(o.last(fewestInTrend, i))
	if math.IsNaN(v.level) {
		v.level = o.calm[len(o.before)+i]
	}
	v.steepest(i)
	v.cross(1-v.trending, func(float64) float64 { return 0 })
	v.cross(v.trending, v.possible)
	return v
}

// beyondChance is the probability from which on a trend is taken for one.
const beyondChance = 0.9

// steepest finds the shortest window whose rise is rather no chance, as it tells
// best how steep the series is now; or else the window whose rise is the least
// likely to be chance.
func (v *view) steepest(i int) {
	for _, t := range v.o.trends {
		if v.trending > beyondChance {
			break
		}
		slope, end := slopeOf(v.o.last(t.window, i))
		if !(slope > 0) {
			continue
		}
		p := min(t.usual.Probability(slope)*float64(len(v.o.trends)), 1/math.E)
		against := -math.E * p * math.Log(p) // the least odds of chance
		begins := v.o.begins(t.window)
		if trending := begins / (begins + (1-begins)*against); trending > v.trending {
			v.trending, v.slope, v.spread, v.window, v.level = trending, slope, t.spread, t.window, end
		}
	}
}

// burst is the stretch below which a rise is rather a burst than a trend.
const burst = 15 * time.Minute

// begins is the chance, before looking, of a trend over a window: the shorter
// below a quarter of an hour, the smaller.
func (o projection) begins(window int) float64 {
	return creeping * min(1, float64(window)*float64(o.step)/float64(burst))
}

// believed is for how many points a rise over a window is believed to go on.
func (o projection) believed(window int) int {
	if time.Duration(window)*o.step < burst {
		return window
	}
	return persistence * window
}

// possible is a quantile of what the slope may be.
func (v *view) possible(quantile float64) float64 {
	return v.slope + v.spread*distuv.UnitNormal.Quantile(quantile)
}

// cross adds the given weight in courses that reach the threshold to the points
// at which they do so first. Their trends are the quantiles of what is possible,
// mixed so that no quantile belongs to one part of the past.
func (v *view) cross(weight float64, slope func(quantile float64) float64) {
	past := v.o.courses
	if weight < 1e-4 || len(past) == 0 {
		return
	}
	need := make([]float64, v.o.horizon)
	for h := range need {
		need[h] = v.o.threshold - v.level - v.o.ahead[v.at+1+h]
	}
	believed := v.o.believed(v.window)
	const stride = 37 // coprime to the number of courses
	for k, course := range past {
		quantile := (float64(k*stride%len(past)) + 0.5) / float64(len(past))
		perPoint := slope(quantile)
		for h, deviation := range course {
			if float64(deviation)+perPoint*float64(min(h+1, believed)) >= need[h] {
				v.crossed[h] += weight / float64(len(past))
				break
			}
		}
	}
}

func (v view) probability() float64 {
	switch {
	case math.IsNaN(v.current):
		return math.NaN()
	case v.beyond:
		return 1
	}
	sum := 0.0
	for _, c := range v.crossed {
		sum += c
	}
	return min(sum, 1)
}

// tell puts the times and the slope into the result, per unit of the series.
func (v view) tell(r *Result, unit float64) {
	now := v.o.start.Add(time.Duration(v.at) * v.o.step)
	r.Slope = bounded(v.slope * unit / v.o.step.Seconds())
	r.Trending = v.trending
	if v.beyond {
		r.Early, r.Median, r.Late = now, now, now
		return
	}
	total := v.probability()
	sum := 0.0
	for h, c := range v.crossed {
		sum += c
		at := now.Add(time.Duration(h+1) * v.o.step)
		for _, quantile := range []struct {
			share float64
			time  *time.Time
		}{{0.1, &r.Early}, {0.5, &r.Median}, {0.9, &r.Late}} {
			if c > 0 && quantile.time.IsZero() && sum >= quantile.share*total {
				*quantile.time = at
			}
		}
	}
}

// bounded keeps a number inside what a float holds.
func bounded(v float64) float64 { return min(max(v, -math.MaxFloat64), math.MaxFloat64) }
