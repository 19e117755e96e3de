package anomaly_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// service has traffic, latency and errors over two weeks and a day.
func service() (traffics, latencies, failures []float64) {
	n := learned + perDay
	traffics, latencies, failures = traffic(n, 21), traffic(n, 22), traffic(n, 23)
	for i := range latencies {
		latencies[i] = 0.2 + latencies[i]/1000
		failures[i] = max(failures[i]-90, 0) / 5000
	}
	return traffics, latencies, failures
}

func composite(t *testing.T, all ...[]float64) anomaly.CompositeResult {
	return compositeFrom(t, learned, all...)
}

func compositeFrom(t *testing.T, from int, all ...[]float64) anomaly.CompositeResult {
	names := []string{"traffic", "latency", "errors"}
	sides := []anomaly.Direction{anomaly.Both, anomaly.Above, anomaly.Above}
	var r anomaly.CompositeRequest
	for k, values := range all {
		h := series.Series{Start: monday, Step: time.Minute, Values: values}
		r.Signals = append(r.Signals, anomaly.Signal{Name: names[k], Weight: 1, History: h, Direction: sides[k]})
		r.From = h.Time(from)
	}
	result, err := anomaly.Composite(r)
	require.NoError(t, err)
	require.Len(t, result.Score, learned+perDay-from)
	for i, score := range result.Score {
		require.True(t, math.IsNaN(score) || score >= 0 && score <= 100)
		sum := 0.0
		for _, signal := range result.Signals {
			if !math.IsNaN(signal.Share[i]) {
				sum += signal.Share[i]
			}
		}
		if !math.IsNaN(score) {
			require.InDelta(t, 1, sum, 1e-9)
		}
	}
	return result
}

func TestCompositeIsQuietOnAQuietService(t *testing.T) {
	traffics, latencies, failures := service()
	require.Empty(t, composite(t, traffics, latencies, failures).Events)
}

func TestTrafficFallingWithErrorsFlatIsAnAnomaly(t *testing.T) {
	traffics, latencies, failures := service()
	for i := learned + 600; i < learned+640; i++ {
		traffics[i] *= 0.2
	}
	r := composite(t, traffics, latencies, failures)
	require.Len(t, r.Events, 1)
	require.WithinDuration(t, monday.Add((learned+600)*time.Minute), r.Events[0].Start, 3*time.Minute)
	require.Equal(t, "traffic", r.Events[0].Signals[0].Name)
	require.Greater(t, r.Events[0].Signals[0].Share, 0.9)
}

// Two signals that are unusual a few minutes apart make one event with both.
func TestSignalsOfOneIncidentMayBeApart(t *testing.T) {
	traffics, latencies, failures := service()
	add(latencies, learned+600, 20, 0.5)
	add(failures, learned+604, 20, 0.5)
	r := composite(t, traffics, latencies, failures)
	require.Len(t, r.Events, 1)
	require.WithinDuration(t, monday.Add((learned+600)*time.Minute), r.Events[0].Start, 2*time.Minute)
}

// What was unusual just before the window counts in it as it does in a longer
// one: two replicas, asked seconds apart, say the same.
func TestCompositeDoesNotDependOnTheWindow(t *testing.T) {
	traffics, latencies, failures := service()
	add(latencies, learned+600, 3, 0.5)
	add(latencies, learned-2, 1, 0.5) // before midnight, when another model judges
	add(failures, learned+604, 20, 0.5)
	whole := compositeFrom(t, learned-30, traffics, latencies, failures)
	for _, from := range []int{learned - 1, learned, learned + 3, learned + 601, learned + 604, learned + 700} {
		part := compositeFrom(t, from, traffics, latencies, failures)
		offset := from - (learned - 30)
		require.Equal(t, whole.Score[offset:], part.Score)
		for k := range whole.Signals {
			require.Equal(t, whole.Signals[k].Share[offset:], part.Signals[k].Share)
		}
	}
}

func TestATelemetryGapIsReportedAndNoAnomaly(t *testing.T) {
	traffics, latencies, failures := service()
	for i := learned + 300; i < learned+330; i++ {
		latencies[i] = math.NaN()
	}
	r := composite(t, traffics, latencies, failures)
	require.Empty(t, r.Events)
	require.Equal(t, []anomaly.Gap{{
		Signal: "latency", Start: monday.Add((learned + 300) * time.Minute), End: monday.Add((learned + 329) * time.Minute),
	}}, r.Gaps)
}

func TestCompositeNamesWhatCouldNotBeJudged(t *testing.T) {
	traffics, latencies, _ := service()
	empty := make([]float64, len(traffics))
	for i := range empty {
		empty[i] = math.NaN()
	}
	r := composite(t, traffics, latencies, empty)
	require.Contains(t, r.Signals[2].Problem, "points of history")
	require.False(t, math.IsNaN(r.Score[0]))

	h := series.Series{Start: monday, Step: time.Minute, Values: empty}
	_, err := anomaly.Composite(anomaly.CompositeRequest{Signals: []anomaly.Signal{{History: h}}, From: h.Time(learned)})
	require.ErrorIs(t, err, forecast.ErrShortHistory)
	_, err = anomaly.Composite(anomaly.CompositeRequest{})
	require.ErrorIs(t, err, anomaly.ErrBadRequest)
	other := h
	other.Step = time.Hour
	_, err = anomaly.Composite(anomaly.CompositeRequest{Signals: []anomaly.Signal{{History: h}, {History: other}}, From: h.Time(learned)})
	require.ErrorIs(t, err, anomaly.ErrBadRequest)
}

func TestProbabilityOfAScoreIsItsInverse(t *testing.T) {
	for e := 0.0; e < 12; e += 0.25 {
		p := math.Pow(10, -e)
		require.InEpsilon(t, p, anomaly.ProbabilityOf(anomaly.Score(p)), 1e-6)
	}
}

func TestCompositeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		value := rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Float64(), rapid.Just(math.NaN()), rapid.Just(math.Inf(1)), rapid.Just(0.0))
		var r anomaly.CompositeRequest
		for k := range rapid.IntRange(1, 4).Draw(t, "signals") {
			h := series.Series{Start: monday, Step: 5 * time.Minute, Values: rapid.SliceOfN(value, n, n).Draw(t, "values")}
			r.Signals = append(r.Signals, anomaly.Signal{
				Name: string(rune('a' + k)), History: h, Weight: rapid.Float64Range(-1, 10).Draw(t, "weight"),
			})
			r.From = h.Time(n / 2)
		}
		result, err := anomaly.Composite(r)
		if err != nil {
			require.ErrorIs(t, err, forecast.ErrShortHistory)
			return
		}
		require.Len(t, result.Score, n-n/2)
		for i, score := range result.Score {
			require.True(t, math.IsNaN(score) || score >= 0 && score <= 100)
			for _, signal := range result.Signals {
				require.False(t, signal.Share[i] < 0 || signal.Share[i] > 1)
			}
		}
	})
}
