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
		periods := periodsBefore(end.Add(-length), end)
		require.Equal(t, want, periods.Points(), length)
		require.Equal(t, end, periods.End)
	}
}
