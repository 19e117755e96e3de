// Package model is what forecasting models have in common.
package model

// Model is a forecasting method with its hyper-parameters chosen. A model with a
// season has a method LongestPeriod() int, in points; one whose fit
// is a search has Costly() bool.
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

// Season is the longest period of a model in points, 0 for none.
func Season(m Model) int {
	if seasonal, ok := m.(interface{ LongestPeriod() int }); ok {
		return seasonal.LongestPeriod()
	}
	return 0
}

// IsCostly says that a model's fit is a search, to be done once.
func IsCostly(m Model) bool {
	c, ok := m.(interface{ Costly() bool })
	return ok && c.Costly()
}
