package trace

import (
	"math"
	"strconv"
	"time"
)

// FormatDuration writes nanoseconds with three significant digits and the unit
// that fits: 1.25 s, 31 ms, 250 µs.
func FormatDuration(nanoseconds float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, " s"}, {1e6, " ms"}, {1e3, " µs"}} {
		if math.Abs(nanoseconds) >= 0.9995*unit.size {
			return threeDigits(nanoseconds/unit.size) + unit.name
		}
	}
	if math.Abs(nanoseconds) < 0.5 {
		return "0 ms"
	}
	return threeDigits(nanoseconds) + " ns"
}

// threeDigits rounds to three significant digits, without an exponent.
func threeDigits(value float64) string {
	if math.IsNaN(value) || math.IsInf(value, 0) || value == 0 {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(value))))
	if scale < 1 {
		return strconv.FormatFloat(math.Round(value), 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(value*scale)/scale, 'f', -1, 64)
}

// SetDefault sets an option that is not positive.
func SetDefault[T int | float64 | time.Duration](option *T, value T) {
	if *option <= 0 {
		*option = value
	}
}
