package series

import (
	"math"
	"slices"
)

// Filled copies values with the missing ones taken from the same phase of the
// longest season before, or else from the line between the neighbours; nil
// where nothing was observed. For models that need every lag; what is filled in
// never teaches as a target.
func Filled(values []float64, periods []int) []float64 {
	filled := slices.Clone(values)
	for _, period := range slices.Backward(periods) {
		for i := period; i < len(filled); i++ {
			if math.IsNaN(filled[i]) {
				filled[i] = filled[i-period]
			}
		}
	}
	last := -1
	for i, v := range filled {
		if math.IsNaN(v) {
			continue
		}
		for j := last + 1; j < i; j++ {
			filled[j] = v
			if last >= 0 {
				filled[j] = filled[last] + (v-filled[last])*float64(j-last)/float64(i-last)
			}
		}
		last = i
	}
	if last < 0 {
		return nil
	}
	for j := last + 1; j < len(filled); j++ {
		filled[j] = filled[last]
	}
	return filled
}
