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

// What people reported of other tools, at the step of a minute that they have.

func judgeShape(t *testing.T, name string, kind zoo.Kind, judged time.Duration, seed uint64) (zoo.Metric, anomaly.Result) {
	for _, shape := range zoo.Shapes() {
		if shape.Name != name {
			continue
		}
		m := zoo.Draw(shape, kind, time.Minute, 14*day, judged, seed)
		if shape.Location != nil {
			m.Series.Start = m.Series.Start.In(shape.Location)
		}
		return m, detect(t, anomaly.Request{History: m.Series, From: m.From})
	}
	require.Fail(t, "no such shape", name)
	return zoo.Metric{}, anomaly.Result{}
}

func over(scores []float64, threshold float64) (n int) {
	for _, score := range scores {
		if score >= threshold {
			n++
		}
	}
	return n
}

// H10: quiet weekends paged all Saturday night.
func TestQuietWeekendsDoNotPage(t *testing.T) {
	for _, name := range []string{"bell, weekends 15 %", "bell, weekends 40 %"} {
		_, r := judgeShape(t, name, zoo.None, 7*day, 1)
		weekend := r.Actual.Index(time.Date(2026, 9, 18, 22, 0, 0, 0, time.UTC))
		require.Zero(t, over(r.Score[weekend:], 75), name)
	}
}

// H11: one bank holiday a week ago hid a drop to 30 %.
func TestAHolidayHidesNothing(t *testing.T) {
	m, r := judgeShape(t, "holiday a week ago", zoo.Drop, 2*day, 1)
	require.Len(t, r.Events, 1)
	require.WithinDuration(t, m.Incident.Start, r.Events[0].Start, time.Minute)
	require.GreaterOrEqual(t, r.Events[0].Score, 90.0)
}

// H12: days by Berlin's clock, over its change in October.
func TestAChangedClockDoesNotPage(t *testing.T) {
	_, r := judgeShape(t, "Berlin's clock", zoo.None, 3*day, 1)
	require.Empty(t, r.Events)
}

// H13: an error in three hundred minutes, and a window without any.
func TestNoErrorsAreNotUnusuallyFew(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 13))
	values := make([]float64, 16*perDay)
	for i := range values[:14*perDay] {
		if random.Float64() < 0.003 {
			values[i] = 1
		}
	}
	h := series.Series{Start: monday, Step: time.Minute, Values: values}
	r := detect(t, anomaly.Request{History: h, From: h.Time(14 * perDay)})
	for _, score := range r.Score {
		require.Zero(t, score)
	}
	values[15*perDay] = 1
	require.Empty(t, detect(t, anomaly.Request{History: h, From: h.Time(14 * perDay)}).Events, "one error is not news")
	for i := range 5 {
		values[15*perDay+i] = 3
	}
	require.Len(t, detect(t, anomaly.Request{History: h, From: h.Time(14 * perDay)}).Events, 1)
}

// A job that a coarse grid sees on half of the nights.
func TestAJobSeenOnSomeNights(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 14))
	values := make([]float64, 42*24)
	for i := range values {
		values[i] = 20 + 1.5*random.NormFloat64()
		if i%24 == 2 && random.Float64() < 0.5 {
			values[i] += 60
		}
	}
	h := series.Series{Start: monday, Step: time.Hour, Values: values}
	require.Empty(t, detect(t, anomaly.Request{History: h, From: h.Time(28 * 24)}).Events)
}

// Two spikes of one height eleven hours apart are two events.
func TestTwoSpikesAreTwoEvents(t *testing.T) {
	values := traffic(learned+perDay, 3)
	add(values, learned+120, 4, 150)
	add(values, learned+120+11*60, 4, 150)
	require.Len(t, detect(t, request(values, learned)).Events, 2)
}

// Something rare two hours after an event is one of its own, its aftermath is not.
func TestARareEventIsNoAftermath(t *testing.T) {
	values := traffic(learned+perDay, 3)
	add(values, learned+120, 4, 150)
	add(values, learned+260, 4, 150)
	require.Len(t, detect(t, request(values, learned)).Events, 2)
	values = traffic(learned+perDay, 3)
	add(values, learned+120, 4, 150)
	add(values, learned+140, 4, 150)
	require.Len(t, detect(t, request(values, learned)).Events, 1)
}

// A value that stands still inside the band.
func TestAFrozenValueIsFound(t *testing.T) {
	values := traffic(learned+perDay, 4)
	for i := learned + 601; i < learned+660; i++ {
		values[i] = values[learned+600]
	}
	events := detect(t, request(values, learned)).Events
	require.Len(t, events, 1)
	require.Equal(t, "frozen", events[0].Witnesses[0].Name)
}
