package anomaly

import (
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

const (
	// proportionalFrom is the elasticity from which on what varies from day to day
	// is taken for proportional to the level: half way between sums and products.
	proportionalFrom = 0.6
	// variedFrom is how much the level must vary over the day, as the spread of its
	// logarithm, for an elasticity to be told.
	variedFrom = 0.2
	// daySlots are the times of the day at which both are compared.
	daySlots = 48
	// zeroShare is the largest share of zeros in data on a logarithmic scale, and
	// nearZero what stands for zero there, as a share of the usual value.
	zeroShare, nearZero = 0.01, 0.01
)

// unit maps values to what models work in: numbers of ordinary size, of metrics
// that grow and shrink by factors their logarithms.
type unit struct {
	size        float64
	logarithmic bool
	zero        float64 // stands for zero under the logarithm
}

// unitOf chooses the unit of a metric.
func unitOf(values []float64, step time.Duration) unit {
	u := unit{size: series.Unit(values)}
	if usual := stats.Median(values); proportional(values, step) && usual > 0 {
		u.logarithmic, u.zero = true, nearZero*usual/u.size
	}
	return u
}

// in is a value in the unit; infinities are missing.
func (u unit) in(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	v = bounded(v / u.size)
	if u.logarithmic {
		return math.Log(max(v, 0) + u.zero)
	}
	return v
}

// out is the inverse of in.
func (u unit) out(x float64) float64 {
	if u.logarithmic {
		x = math.Exp(x) - u.zero
	}
	return bounded(x * u.size)
}

// proportional tells whether a metric that is never negative differs from one
// day to the next in proportion to its usual level at that time: weekends,
// growth and noise are factors then. Whole numbers and metrics without a rhythm
// are left as they are.
func proportional(values []float64, step time.Duration) bool {
	perDay := int(day / step)
	slot := perDay / daySlots
	if slot < 1 {
		slot = 1
	}
	if perDay < 12 || len(values) < minDays*perDay || resolution(values) > 0 {
		return false
	}
	zeros, observed := 0, 0
	slots := (perDay + slot - 1) / slot
	levels, changes := make([][]float64, slots), make([][]float64, slots)
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if v < 0 {
			return false
		}
		observed++
		if v == 0 {
			zeros++
		}
		at := i % perDay / slot
		levels[at] = append(levels[at], v)
		if i >= perDay && !math.IsNaN(values[i-perDay]) {
			changes[at] = append(changes[at], math.Abs(v-values[i-perDay]))
		}
	}
	if float64(zeros) > zeroShare*float64(observed) {
		return false
	}
	var x, y []float64
	for at := range levels {
		level, change := stats.MedianOf(levels[at]), stats.MedianOf(changes[at])
		if level > 0 && change > 0 {
			x, y = append(x, math.Log(level)), append(y, math.Log(change))
		}
	}
	if len(x) < slots/2 || stats.Spread(x) < variedFrom {
		return false
	}
	return elasticity(x, y) >= proportionalFrom
}

// elasticity is the slope of y on x by least squares.
func elasticity(x, y []float64) float64 {
	var meanX, meanY, xx, xy float64
	for i := range x {
		meanX += x[i] / float64(len(x))
		meanY += y[i] / float64(len(x))
	}
	for i := range x {
		xx += (x[i] - meanX) * (x[i] - meanX)
		xy += (x[i] - meanX) * (y[i] - meanY)
	}
	return xy / xx
}
