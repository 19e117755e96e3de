package anomaly_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

func TestCurrentScore(t *testing.T) {
	nan := math.NaN()
	minute := func(i int) time.Time { return monday.Add(time.Duration(i) * time.Minute) }
	event := anomaly.Event{Start: minute(1), End: minute(3), Score: 99}
	for name, test := range map[string]struct {
		scores []float64
		events []anomaly.Event
		want   float64
	}{
		"no points":           {nil, nil, nan},
		"the latest":          {[]float64{90, 10, 20}, nil, 20},
		"not yet scraped":     {[]float64{90, 40, nan, nan}, nil, 40},
		"ended long ago":      {[]float64{90, nan, nan, nan, nan, nan}, nil, nan},
		"never judged":        {[]float64{nan, nan}, nil, nan},
		"too many digits":     {[]float64{99.99912}, nil, 99.9},
		"just below":          {[]float64{74.96}, nil, 74.9},
		"infinite":            {[]float64{5, math.Inf(1)}, nil, 5},
		"inside an event":     {[]float64{0, 99, 50, 80}, []anomaly.Event{event}, 99},
		"after an event":      {[]float64{0, 99, 50, 80, 30}, []anomaly.Event{event}, 30},
		"event without score": {[]float64{0, 99, 50, 80}, []anomaly.Event{{Start: minute(1), End: minute(3), Score: nan}}, 80},
	} {
		t.Run(name, func(t *testing.T) {
			got := (anomaly.Result{
				Actual: series.Series{Start: monday, Step: time.Minute, Values: test.scores}, Score: test.scores, Events: test.events,
			}).CurrentScore()
			if math.IsNaN(test.want) {
				require.True(t, math.IsNaN(got), "%g", got)
				return
			}
			require.Equal(t, test.want, got)
			composite := anomaly.CompositeResult{Start: monday, Step: time.Minute, Score: test.scores}
			for _, e := range test.events {
				composite.Events = append(composite.Events, anomaly.CompositeEvent{Start: e.Start, End: e.End, Score: e.Score})
			}
			require.Equal(t, test.want, composite.CurrentScore())
		})
	}
}

func TestFiringIsWhetherAnEventGoesOn(t *testing.T) {
	minute := func(i int) time.Time { return monday.Add(time.Duration(i) * time.Minute) }
	for name, test := range map[string]struct {
		scores []float64
		want   float64
	}{
		"no points":       {nil, math.NaN()},
		"before the end":  {[]float64{0, 99, 50, 80}, 1},
		"after the end":   {[]float64{0, 99, 50, 80, 30}, 0},
		"not yet scraped": {[]float64{0, 99, 50, math.NaN()}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			event := anomaly.Event{Start: minute(1), End: minute(3), Score: 99}
			metric := anomaly.Result{
				Actual: series.Series{Start: monday, Step: time.Minute, Values: test.scores}, Score: test.scores, Events: []anomaly.Event{event},
			}
			composite := anomaly.CompositeResult{
				Start: monday, Step: time.Minute, Score: test.scores,
				Events: []anomaly.CompositeEvent{{Start: event.Start, End: event.End, Score: event.Score}},
			}
			require.InDelta(t, test.want, metric.Firing(), 0)
			require.InDelta(t, test.want, composite.Firing(), 0)
		})
	}
}
