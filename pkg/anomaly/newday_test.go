package anomaly_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/tests/zoo"
)

// A metric that began two hours before midnight of a quiet Sunday.
func youngMetric(location *time.Location, workday float64) series.Series {
	random := rand.New(rand.NewPCG(3, 3))
	start := time.Date(2026, time.February, 1, 22, 0, 0, 0, location)
	values := make([]float64, 6*60)
	for i := range values {
		level := 10.0
		if i >= 120 {
			level = workday
		}
		values[i] = level * (1 + 0.05*random.NormFloat64())
	}
	return series.Series{Start: start, Step: time.Minute, Values: values}
}

func TestTheFirstMidnightOfAMetricDoesNotPage(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, location := range []*time.Location{time.UTC, berlin} {
		h := youngMetric(location, 40)
		r := detect(t, anomaly.Request{History: h, From: h.Time(60)})
		require.Empty(t, r.Events)
		require.Zero(t, r.Score[60+5], "the day begins")
		for i := 200; i < 260; i++ {
			h.Values[i] *= 2
		}
		events := detect(t, anomaly.Request{History: h, From: h.Time(60)}).Events
		require.Len(t, events, 1)
		require.Equal(t, h.Time(200), events[0].Start)
	}
}

// An hour into the day the same jump is an event.
func TestAJumpOfAYoungMetricIsAnEvent(t *testing.T) {
	h := youngMetric(time.UTC, 40)
	h.Start = h.Start.Add(-30 * time.Minute)
	require.Len(t, detect(t, anomaly.Request{History: h, From: h.Time(60)}).Events, 1)
}

// Whole numbers that vary less than chance are no counts of events: what lies
// outside of all that was seen is unusual.
func TestSharesOfAPoolAreNoCounts(t *testing.T) {
	for _, shape := range zoo.Shapes() {
		if shape.Name != "share of a pool" {
			continue
		}
		m := zoo.Draw(shape, zoo.Saturation, 5*time.Minute, 14*day, 2*day, 100)
		require.NotEmpty(t, detect(t, anomaly.Request{History: m.Series, From: m.From}).Events)
	}
}
