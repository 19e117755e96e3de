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
	// Probability of a crossing within the horizon, as it was to be told at each
	// point; 1 where the value is beyond the threshold, NaN where it is missing.
	Probability []float64
	// Early, Median and Late are the times by which 10, 50 and 90 % of the
	// courses that cross have crossed, told at the last point; the zero time
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
	// which is not chance: about three a week.
	creeping = 1.0 / 56
)

// Predict looks ahead. Two kinds of future are weighed: that the series goes on
// as it always did after such a level, its past courses repeated from here; and
// that the trend of the last minutes or hours is real, its line continued with
// the usual deviations around it. The steeper the line against what is usual
// over such a stretch, the more the second kind weighs: by the bound of Sellke,
// Bayarri and Berger (The American Statistician 55, 2001) on what a p-value can
// say. The seasons are part of both.
//
// Errors are as with Detect.
func Predict(r Request) (Result, error) {
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	values, _ := series.Finite(r.History.Values)
	unit := series.Unit(values)
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
	for _, s := range anomaly.Splits(r.History, r.From, r.Past) {
		known, err := anomaly.Cached(r.Models, "trajectories", r.History, s,
			func() (*trajectories, error) { return learn(r, s) }, r.Seasons, r.Horizon)
		if err != nil {
			return Result{}, err
		}
		o := newProjection(r, s, known, side*r.Threshold/unit)
		result.Season = time.Duration(known.season) * r.History.Step
		first := r.History.Len() - evaluated.Len() + len(result.Probability) - s.Test
		for i := first; i < len(o.values); i++ {
			view := o.at(i)
			result.Probability = append(result.Probability, view.probability())
			if s.Test+i == r.History.Len()-1 {
				view.tell(&result, side*unit)
			}
		}
	}
	return result, nil
}

func (r Request) validate() error {
	switch {
	case r.History.Step <= 0:
		return fmt.Errorf("%w: the step must be positive, not %s", anomaly.ErrBadRequest, r.History.Step)
	case math.IsNaN(r.Threshold) || math.IsInf(r.Threshold, 0):
		return fmt.Errorf("%w: the threshold must be a number, not %v", anomaly.ErrBadRequest, r.Threshold)
	case r.Horizon < r.History.Step || r.Horizon/r.History.Step > mostAhead:
		return fmt.Errorf("%w: the horizon must be 1 to %d steps of %s, not %s", anomaly.ErrBadRequest, mostAhead, r.History.Step, r.Horizon)
	}
	return nil
}

const mostAhead = 2_000 // points
