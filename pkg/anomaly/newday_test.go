package anomaly_test

import (
	"math"
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

// A job of an hour in a metric that nobody knows yet: it is news when it begins, not
// when it ends, and again when it comes again.
func TestTheEndOfAYoungMetricsFirstJobIsNoNews(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	h := series.Series{Start: monday.Add(2 * time.Hour), Step: time.Minute, Values: make([]float64, 8*60)}
	for i := range h.Values {
		h.Values[i] = 20 * (1 + 0.05*random.NormFloat64())
		if i >= 200 && i < 255 || i >= 400 && i < 455 {
			h.Values[i] += 70
		}
	}
	r := detect(t, anomaly.Request{History: h, From: h.Time(120)})
	first, second := 200-120, 400-120
	for i, score := range r.Score {
		require.Less(t, score, 90.0, "of so few points none is known to be one in a million")
		if i < first || i >= first+15 && i < second || i >= second+15 {
			require.Less(t, score, 75.0, i)
		}
	}
	require.GreaterOrEqual(t, r.Score[first], 75.0)
	require.GreaterOrEqual(t, r.Score[second], 75.0)
	require.Len(t, r.Shifts, 4)
	require.InDelta(t, 70, r.Shifts[0].By, 5)
	require.InDelta(t, -70, r.Shifts[1].By, 5)
}

// A metric that is scraped at every third step of a query, and began this morning.
func TestGapsAtEachStepAreNoEndOfJudging(t *testing.T) {
	values := make([]float64, 8*720+150)
	for i := range values {
		values[i] = math.NaN()
		if i >= 8*720 && i%3 == 0 {
			values[i] = float64(i % 7)
		}
	}
	h := series.Series{Start: monday.Add(-8*day - 3*time.Hour), Step: 2 * time.Minute, Values: values}
	r := detect(t, anomaly.Request{History: h, From: h.Time(8*720 + 100)})
	for i, v := range r.Actual.Values {
		require.Equal(t, math.IsNaN(v), math.IsNaN(r.Score[i]), r.Actual.Time(i))
		require.False(t, math.IsNaN(r.Expected[i]))
	}
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
