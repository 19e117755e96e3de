package series

import "slices"

// limitOfShape bounds single values, in spreads, where a shape is learned.
const limitOfShape = 5

// Peaks says what becomes of values far beyond the rest where a seasonal shape
// is learned.
type Peaks int

// What becomes of peaks.
const (
	// KeepRecurring keeps those that come back every cycle, as office hours and
	// nightly jobs do, and cuts off the others. Forecasts need it.
	KeepRecurring Peaks = iota
	// ClipPeaks cuts off all: what is quiet for most of the day and seldom
	// repeats exactly then raises fewer false alarms.
	ClipPeaks
)

func (p Peaks) cut(values []float64, period int) []float64 {
	if p == ClipPeaks {
		return Winsorize(values, limitOfShape)
	}
	profile := Profile(Detrended(values, period), period)
	rest := slices.Clone(values)
	for i := range rest {
		rest[i] -= profile[i%period]
	}
	rest = Winsorize(rest, limitOfShape)
	for i := range rest {
		rest[i] += profile[i%period]
	}
	return rest
}
