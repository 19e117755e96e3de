package series

import (
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// centerPoints is the length up to which a centre line is found on the
	// points themselves; longer series are averaged down first.
	centerPoints = 5_000
	// levelWindow is the window of the level where there is no season, in points.
	levelWindow = 25
)

// WithoutIncidents copies values with those further than limit spreads from the
// centre line moved to that distance, so that past incidents do not teach. A
// lasting change of level is not an incident: the centre line follows it.
// The periods are those of the strong seasons, ascending.
func WithoutIncidents(values []float64, periods []int, limit float64, peaks Peaks) []float64 {
	rest := fromCenter(values, periods, peaks)
	reach := limit * stats.Spread(rest)
	for i, e := range rest {
		rest[i] = values[i]
		if math.Abs(e) > reach {
			rest[i] += math.Copysign(reach, e) - e
		}
	}
	return rest
}

// FromCenter is how far values lie from the centre line: a robust level plus the
// profiles of the strong seasons.
func FromCenter(values []float64, periods []int) []float64 {
	return fromCenter(values, periods, KeepRecurring)
}

func fromCenter(values []float64, periods []int, peaks Peaks) []float64 {
	rest := centerLine(values, periods, peaks)
	for i, v := range values {
		rest[i] = v - rest[i]
	}
	return rest
}

// centerLine is a robust level plus the seasons' profiles.
func centerLine(values []float64, periods []int, peaks Peaks) []float64 {
	factor := max((len(values)+centerPoints-1)/centerPoints, 1)
	coarse := Coarsen(values, factor)
	line := make([]float64, len(coarse))
	rest := coarse
	window := levelWindow
	for i, period := range periods {
		if period /= factor; period < 2 {
			continue
		}
		if i == 0 || window == levelWindow {
			window = period | 1
		}
		profile := Profile(Detrended(peaks.cut(rest, period), period), period)
		left := make([]float64, len(rest))
		for j := range rest {
			line[j] += profile[j%period]
			left[j] = rest[j] - profile[j%period]
		}
		rest = left
	}
	for i, level := range MovingMedian(rest, window) {
		line[i] += level
	}
	if factor == 1 {
		return line
	}
	fine := make([]float64, len(values))
	offset := len(values) - factor*len(coarse)
	for i := range fine {
		fine[i] = line[max(i-offset, 0)/factor]
	}
	return fine
}
