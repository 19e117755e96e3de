// Package forecast extrapolates regular time series with calibrated prediction
// intervals. Models stand behind one small
// interface; the large ones have packages of their own: arima, ets and prophet.
package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/forecast/model"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Model is a forecasting method with its hyper-parameters chosen.
type Model = model.Model

// Fitted is a model that has learned from a history.
type Fitted = model.Fitted

// Request asks for a forecast.
type Request struct {
	// History's Start is in the location whose clock days and weeks follow when
	// daylight saving begins or ends.
	History       series.Series
	Horizon       int             // points beyond the history
	Model         string          // "auto" or a model's name
	Seasons       []time.Duration // candidates; empty: hour, day, week
	Probabilities []float64       // of the prediction intervals, as 0.95
	NonNegative   bool            // the quantity cannot be below zero
	Capacity      float64         // the quantity cannot be above it; 0: not known
	// Events are times at which something known happens, in the past or in the
	// future: deploys, campaigns, holidays. Events of one name have one effect.
	Events []Event
}

// Event is a stretch of time in which something known happens.
type Event struct {
	Name       string
	Start, End time.Time // the end is excluded; at or before Start, one point
}

// Interval is a central prediction interval for each point of the horizon.
type Interval struct {
	Probability  float64
	Lower, Upper []float64
}

// Result is a forecast with what is needed to trust it.
type Result struct {
	Start     time.Time // of the first forecast point
	Step      time.Duration
	Mean      []float64
	Intervals []Interval // ascending by probability
	Model     string     // which model answered
	// Season is the seasonal period the model used; 0 for none.
	Season     time.Duration
	Parameters map[string]float64
	// Error and NaiveError are the mean absolute errors of the model and of
	// seasonal naive over the same rolling origins, in the series' unit.
	Error, NaiveError float64
	Observed          int      // points of history that were not missing
	Notices           []string // fallbacks and repairs
}

const defaultProbability = 0.95

// Run forecasts. The error wraps ErrShortHistory where the history is too short
// and ErrBadRequest where the request makes no sense.
func Run(r Request) (Result, error) {
	l, err := Learn(r)
	if err != nil {
		return Result{}, err
	}
	return l.Forecast(), nil
}

func validate(r Request) (probabilities []float64, err error) {
	if r.History.Step <= 0 {
		return nil, fmt.Errorf("%w: the step must be positive, not %s", ErrBadRequest, r.History.Step)
	}
	if r.Horizon < 1 || r.Horizon > longestHorizon {
		return nil, fmt.Errorf("%w: the horizon must be 1 to %d points, not %d", ErrBadRequest, longestHorizon, r.Horizon)
	}
	if !(r.Capacity >= 0) || math.IsInf(r.Capacity, 0) {
		return nil, fmt.Errorf("%w: the capacity must be positive, or 0 where there is none, not %v", ErrBadRequest, r.Capacity)
	}
	probabilities = slices.Clone(r.Probabilities)
	if len(probabilities) == 0 {
		probabilities = []float64{defaultProbability}
	}
	slices.Sort(probabilities)
	for _, probability := range probabilities {
		if !(probability > 0 && probability < 1) {
			return nil, fmt.Errorf("%w: a probability must lie between 0 and 1, not %v", ErrBadRequest, probability)
		}
	}
	return slices.Compact(probabilities), nil
}
