// Package forecast extrapolates regular time series with calibrated prediction
// intervals. One file per model behind one small interface.
package forecast

import (
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
)

// Model is a forecasting method with its hyper-parameters chosen.
type Model interface {
	Name() string
	// Fit learns from y, observed on a regular grid, NaN where missing. It
	// returns an error wrapping ErrShortHistory where y is too short.
	Fit(y []float64) (Fitted, error)
}

// Fitted is a model that has learned from a history.
type Fitted interface {
	// Observe takes the next observation in, NaN where missing: the state moves
	// on, the learned parameters stay.
	Observe(value float64)
	// Forecast is the expected value of the next horizon points.
	Forecast(horizon int) []float64
	// Parameters are the learned values, for the reader.
	Parameters() map[string]float64
}

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
