package shop

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRhythm(t *testing.T) {
	for seed := range uint64(5) {
		r := Rhythm{seed}
		total, weekday, weekend, n := 0.0, 0.0, 0.0, 0
		for minute := range 14 * 24 * 60 {
			at := monday.Add(time.Duration(minute) * time.Minute)
			factor := r.Factor(at)
			require.Greater(t, factor*defaultRate, 10.0, "enough traces at night (%s)", at)
			require.Less(t, factor, 1.6)
			require.InDelta(t, factor, r.Factor(at.Add(time.Second)), 0.02, "no jumps at %s", at)
			require.GreaterOrEqual(t, r.Contention(at), 0.0)
			require.LessOrEqual(t, r.Contention(at), 0.31)
			total += factor
			n++
			if day := at.Weekday(); day == time.Saturday || day == time.Sunday {
				weekend += factor / 2
			} else {
				weekday += factor / 5
			}
		}
		require.InDelta(t, 1, total/float64(n), 0.02, "the mean is the rate that was asked for")
		require.Less(t, weekend, 0.95*weekday)
	}
}

func TestRhythmHasADay(t *testing.T) {
	r := Rhythm{1}
	require.Greater(t, r.Factor(monday.Add(3*time.Hour)), 1.5*r.Factor(monday.Add(-9*time.Hour)), "15:00 against 03:00")
	require.Equal(t, r.Factor(monday), Rhythm{1}.Factor(monday.In(time.FixedZone("elsewhere", 3600))), "UTC rules")
	require.NotEqual(t, r.Factor(monday), Rhythm{2}.Factor(monday))
}

func TestReindexingRunsAtNight(t *testing.T) {
	midnight := monday.Truncate(24 * time.Hour)
	require.False(t, Rhythm{}.Reindexing(midnight.Add(2*time.Hour-time.Second)))
	require.True(t, Rhythm{}.Reindexing(midnight.Add(2*time.Hour)))
	require.False(t, Rhythm{}.Reindexing(midnight.Add(2*time.Hour+15*time.Minute)))

	r := open(t, 1, Rhythm{1}, midnight.Add(2*time.Hour-30*time.Second))
	require.Zero(t, count(r.run(29*time.Second), Catalog, "reindex products"))
	r.run(2 * time.Second)
	require.InDelta(t, 80, count(r.run(20*time.Second), Catalog, "reindex products"), 5)
}

func TestContentionComesNowAndThen(t *testing.T) {
	r, minutes := Rhythm{1}, 0
	for minute := range 14 * 24 * 60 {
		if r.Contention(monday.Add(time.Duration(minute)*time.Minute)) > 0 {
			minutes++
		}
	}
	require.Greater(t, minutes, 60)
	require.Less(t, minutes, 24*60)
}
