package promapi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var from = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func TestStretches(t *testing.T) {
	for points, want := range map[int]struct{ groups, first int }{1: {1, 1}, 60: {60, 1}, 61: {31, 2}, 11_000: {60, 184}} {
		r := timeRange{from: from, to: from.Add(time.Duration(points-1) * time.Minute), step: time.Minute}
		groups, err := r.stretches()
		require.NoError(t, err)
		require.Len(t, groups, want.groups, points)
		require.Len(t, groups[0], want.first)
		next := from
		for _, group := range groups {
			for _, at := range group {
				require.Equal(t, next, at)
				next = next.Add(time.Minute)
			}
		}
		require.Equal(t, r.to.Add(time.Minute), next)
	}
	_, err := timeRange{from: from, to: from.Add(11_000 * time.Minute), step: time.Minute}.stretches()
	require.ErrorContains(t, err, "11001 points are more than the 11000")
}

// TestHeld: the PromQL engine takes a sample of the last five minutes for now, so
// that a coarser grid would have gaps.
func TestHeld(t *testing.T) {
	r := timeRange{from: from, to: from.Add(40 * time.Minute), step: 5 * time.Minute}
	points := []point{{from, 1}, {from.Add(10 * time.Minute), 2}, {from.Add(40 * time.Minute), 3}}
	require.Equal(t, points, r.held(points, time.Minute))
	var values []float64
	for _, p := range r.held(points, 10*time.Minute) {
		values = append(values, p.value)
	}
	require.Equal(t, []float64{1, 1, 2, 2, 2, 2, 3}, values, "not longer than two of its steps")
}
