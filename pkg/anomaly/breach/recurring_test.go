package breach

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCrossingsAreCountedByEpisodes(t *testing.T) {
	values := []float64{0, 2, 2, 0, 2, 0, 0, 0, 0, 2, math.NaN()}
	require.Equal(t, []int32{0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2}, crossings(values, 1, 3))
	require.Equal(t, []int32{0, 0}, crossings([]float64{0}, 1, 3))
}

// Four crossings today, of which nothing was learned, are expected at that rate
// further on; of four a day that were learned, none more.
func TestWhatRecursIsExpected(t *testing.T) {
	const day = 24 * 60
	begun := func(everyDay, today int) []int32 {
		values := make([]float64, 8*day)
		for d := range 8 {
			n := everyDay
			if d == 7 {
				n = today
			}
			for k := range n {
				values[d*day+(k+1)*day/(n+1)] = 1
			}
		}
		return crossings(values, 1, 60)
	}
	at := func(everyDay, today int) float64 {
		o := projection{step: time.Minute, horizon: 60, begun: begun(everyDay, today), offset: 7 * day, train: 0, split: 7 * day}
		return o.recurring(day - 1)
	}
	require.InDelta(t, 1-math.Exp(-4.0/36), at(0, 4), 1e-9)
	require.Zero(t, at(4, 4))
	require.Zero(t, at(4, 6), "within a standard deviation")
	require.InDelta(t, 1-math.Exp(-(9-4-2)/36.0), at(4, 9), 1e-9)

	v := view{o: projection{step: time.Minute, horizon: 60, begun: begun(0, 4), offset: 7 * day, split: 7 * day}, at: day - 1, crossed: make([]float64, 60)}
	v.crossed[3] = 0.5
	v.expectRecurring()
	require.InDelta(t, 1-0.5*math.Exp(-4.0/36), v.probability(), 1e-9)
}
