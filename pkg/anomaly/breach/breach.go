// Package breach predicts how likely a series crosses a threshold, and when.
package breach

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Request asks whether a series will cross a threshold.
type Request struct {
	History series.Series
	From    time.Time     // look ahead from each point from here on
	Past    time.Duration // as in anomaly.Request
	// Threshold is crossed where the value reaches it: from below, or with Below
	// from above.
	Threshold float64
	Below     bool
	Horizon   time.Duration   // how far ahead
	Seasons   []time.Duration // candidates; empty: hour, day, week
	Models    *anomaly.Models // as in anomaly.Request
}

// Result says how likely the threshold is crossed within the horizon.
type Result struct {
	Actual series.Series // the points looked ahead from
	// Probability of a crossing within the horizon, from what was known at each
	// point; 1 where the value is beyond the threshold, NaN where it is missing or
	// too little was seen.
	Probability []float64
	// Early, Median and Late are the times by which 10, 50 and 90 % of the
	// paths that cross have crossed, as of the last point; the zero time
	// where none crosses.
	Early, Median, Late time.Time
	Slope               float64 // of the level at the last point, per second
	Trending            float64 // probability that this slope is no chance
	Season              time.Duration
	Observed            int
	Notices             []string
}

const (
	// persistence is how many times longer than it was seen a trend is believed
	// to go on, bursts apart.
	persistence = 3
	// creeping is the chance, before looking, that a trend begins within an hour
	// which is not chance: about one in three days.
	creeping = 1.0 / 72
)

// Predict looks ahead. Two kinds of future are weighed. In the first the series
// goes on as it did after similar states: trajectories of its own past, moved to
// the present level (analog.go). In the second the trend of the last minutes or
// hours is real: its line continued, with the usual deviations around it
// (follow.go). The steeper the line against what is usual over such a stretch,
// the more the second kind weighs, by the bound of Sellke, Bayarri and Berger
// (The American Statistician 55, 2001) on what a p-value can say. Seasons are
// part of both.
//
// Crossings of the last day that the past does not explain are expected to recur
// (recurring.go).
//
// A series that began a short while ago is judged as an autoregression until it
// has trajectories; below three points nothing is said of it but a crossing.
// The error wraps anomaly.ErrBadRequest where the request makes no sense.
func Predict(r Request) (Result, error) {
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	values, _ := series.Finite(r.History.Values)
	splits := anomaly.Splits(r.History, r.From, r.Past)
	unit := series.Unit(values[:taught(splits)])
	side := 1.0
	if r.Below {
		side = -1 // mirrored, every crossing is one from below
	}
	for i := range values {
		values[i] *= side / unit
	}
	r.History.Values = values
	evaluated := r.History.Between(r.From, r.History.Time(r.History.Len()))
	result := Result{Actual: evaluated, Observed: r.History.Observed()}
	result.Actual.Values = make([]float64, evaluated.Len())
	for i, v := range evaluated.Values {
		result.Actual.Values[i] = v * side * unit
	}
	next := r.History.Len() - evaluated.Len()
	threshold := side * r.Threshold / unit
	begun := crossings(values, threshold, int(r.Horizon/r.History.Step))
	for _, s := range splits {
		for _, p := range r.parts(s) {
			if p.End <= next {
				continue
			}
			known := r.learned(p)
			o := newProjection(r, p, known, threshold, begun)
			if known != nil {
				result.Season = time.Duration(known.season) * r.History.Step
			}
			for ; next < p.End; next++ {
				view := o.at(next - p.Test)
				result.Probability = append(result.Probability, view.probability())
				if next == r.History.Len()-1 {
					view.describe(&result, side*unit)
				}
			}
		}
	}
	return result, nil
}

// taught is how many points the first model learns from: what comes later must
// not change the unit, or a point would have another probability in a longer
// window.
func taught(splits []anomaly.Split) int {
	if len(splits) == 0 {
		return 0
	}
	return splits[0].Test
}

// learned is what the training part teaches; nil for a young series.
func (r Request) learned(p part) *trajectories {
	if p.young {
		return nil
	}
	known, _ := anomaly.Cached(r.Models, "trajectories", r.History, p.Split, // learning does not fail
		func() (*trajectories, error) { return learn(r, p.Split), nil }, r.Seasons, r.Horizon)
	return known
}

func (r Request) validate() error {
	switch {
	case r.History.Step <= 0:
		return fmt.Errorf("%w: the step must be positive, not %s", anomaly.ErrBadRequest, r.History.Step)
	case math.IsNaN(r.Threshold) || math.IsInf(r.Threshold, 0):
		return fmt.Errorf("%w: the threshold must be a number, not %v", anomaly.ErrBadRequest, r.Threshold)
	case r.Horizon < r.History.Step || r.Horizon/r.History.Step > maxAhead:
		return fmt.Errorf("%w: the horizon must be 1 to %d steps of %s, not %s", anomaly.ErrBadRequest, maxAhead, r.History.Step, r.Horizon)
	}
	return nil
}

const maxAhead = 2_000 // points
