package breach

import (
	"math"
	"slices"
	"time"
)

// projection is an epoch of which every point can be looked ahead from.
type projection struct {
	*trajectories
	step      time.Duration
	start     time.Time // of the epoch
	values    []float64 // from there on
	before    []float64 // the past without the seasons, as much as states and trends look at
	means     means     // of before and of the values, both without the seasons
	threshold float64   // to be reached from below
	horizon   int
	// begun counts crossings in the whole history, of which the epoch begins at
	// offset; what was learned lies between train and split.
	begun                []int32
	offset, train, split int
}

func newProjection(r Request, p part, known *trajectories, threshold float64, begun []int32) projection {
	o := projection{
		trajectories: known, step: r.History.Step, start: r.History.Time(p.Test), values: r.History.Values[p.Test:p.End],
		threshold: threshold, horizon: int(r.Horizon / r.History.Step),
		begun: begun, offset: p.Test, train: p.Train, split: p.Test,
	}
	if known == nil {
		o.before = r.History.Values[max(p.Train, p.Test-maxYoung):p.Test]
		return o
	}
	reach := known.windows.long
	for _, t := range known.trends {
		reach = max(reach, t.window)
	}
	tail := known.past[max(len(known.past)-reach, 0):]
	calm := make([]float64, 0, len(tail)+len(o.values))
	for _, v := range tail {
		calm = append(calm, float64(v))
	}
	o.before = calm
	for i, v := range o.values {
		calm = append(calm, v-known.ahead[i])
	}
	o.means = newMeans(calm, len(o.before))
	return o
}

// last are so many points without the seasons, the newest of them i.
func (o projection) last(points, i int) []float64 {
	end := len(o.before) + i + 1
	return o.means.values[max(end-points, 0):end]
}

// view is what the future looks like from one point.
type view struct {
	o        projection
	at       int
	current  float64
	state    state
	slope    float64 // per point
	spread   float64 // of slopes that are chance
	end      float64 // where the line of the trend ends
	window   int     // over which the slope was seen
	lasted   int     // the longest window that shows it
	trending float64 // probability that it is no chance
	crossed  []float64
	beyond   bool // the threshold is crossed already
	unknown  bool // too little was seen to say anything
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
	if o.trajectories == nil {
		v.crossed = firstPassage(slices.Concat(o.before, o.values[:i+1]), o.threshold, o.horizon)
		v.unknown = v.crossed == nil
		return v
	}
	now := len(o.before) + i
	var ok bool
	if v.state, ok = o.means.state(now, o.windows, o.level(o.means, now), o.season); !ok || len(o.starts) == 0 {
		v.unknown = true
		return v
	}
	v.foresee(i)
	v.expectRecurring()
	return v
}

// foresee weighs the trajectories and the trend.
func (v *view) foresee(i int) {
	o := v.o
	v.steepest(i)
	reachable := v.reachable()
	if !reachable && v.trending < negligible {
		return
	}
	analogs := o.analogs(v.state)
	if reachable {
		v.continued(analogs)
	}
	if v.trending >= negligible {
		v.follow(analogs)
	}
}

func (v view) probability() float64 {
	switch {
	case math.IsNaN(v.current), v.unknown:
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

// describe puts the times and the slope into the result, per unit of the series.
func (v view) describe(r *Result, unit float64) {
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
