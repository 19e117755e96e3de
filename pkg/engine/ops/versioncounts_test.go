package ops

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
)

func TestPeriodsEndWithTheWindow(t *testing.T) {
	end := enginetest.Midnight.Add(35 * time.Second)
	for length, want := range map[time.Duration]int{time.Second: 1, time.Minute: 1, 61 * time.Second: 2, time.Hour: 60, 24 * time.Hour: 720} {
		periods := periodsBefore(end.Add(-length), end, 15*time.Second)
		require.Equal(t, want, periods.Points(), length)
		require.Equal(t, end, periods.End)
	}
}

// TestPeriodsHoldScrapes: a period of one scrape would have none of them where
// the next has two.
func TestPeriodsHoldScrapes(t *testing.T) {
	end := enginetest.Midnight.Add(35 * time.Second)
	for scrape, want := range map[time.Duration]time.Duration{15 * time.Second: time.Minute, 30 * time.Second: time.Minute, time.Minute: 2 * time.Minute, 5 * time.Minute: 10 * time.Minute} {
		require.Equal(t, want, periodsBefore(end.Add(-time.Hour), end, scrape).Step, scrape)
	}
}
