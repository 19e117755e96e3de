package anomaly_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

// The pattern of days by Berlin's clock goes on by it after it was set back.
func TestAPatternFollowsTheClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	const perDay, past, ahead = 144, 10 * 144, 3 * 144
	h := series.Series{Start: time.Date(2026, 10, 15, 0, 0, 0, 0, berlin), Step: 10 * time.Minute}
	load := func(i int) float64 {
		at := h.Time(i)
		return 100 * math.Sin(2*math.Pi*(float64(at.Hour())+float64(at.Minute())/60)/24)
	}
	for i := range past {
		h.Values = append(h.Values, load(i))
	}
	p := anomaly.LearnPattern(h, []int{perDay}, ahead)
	wrong := 0.0
	for i := past + perDay; i < past+ahead; i++ {
		wrong = max(wrong, math.Abs(p.At(i)-load(i)))
	}
	require.Less(t, wrong, 5.0, "by UTC it would be wrong by 25")
}
