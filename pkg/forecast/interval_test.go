package forecast

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Between knots a line, beyond the last the square root of the horizon.
func TestIntervalsGrowBeyondWhatWasTried(t *testing.T) {
	got := spread([]int{0, 3}, []float64{1, 2}, 16)
	require.InDelta(t, 1+1.0/3, got[1], 1e-12)
	require.InDelta(t, 2, got[3], 1e-12)
	require.InDelta(t, 3, got[8], 1e-12)
	require.InDelta(t, 4, got[15], 1e-12)
}
