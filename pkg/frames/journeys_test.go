package frames_test

import (
	"math"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/journey"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

func someJourneys() engine.JourneysAnswer {
	none := journey.Stats{Requests: nan, Success: nan, Latency: nan, Passed: nan}
	step := func(service, operation string, now, usual journey.Stats) engine.JourneyStep {
		return engine.JourneyStep{
			JourneyStep: query.JourneyStep{Service: service, Operation: operation}, Now: now, Usual: usual, Before: usual, After: now, P95: 0.3, Lost: nan,
		}
	}
	home := step("web", "GET /", journey.Stats{Requests: 100, Success: 0.999, Latency: 0.1, Passed: nan}, journey.Stats{Requests: 90, Success: 0.999, Latency: 0.1, Passed: nan})
	pay := step("web", "POST /checkout", journey.Stats{Requests: 20, Success: 0.9, Latency: 0.4, Passed: 0.2}, journey.Stats{Requests: 30, Success: 0.998, Latency: 0.2, Passed: 0.33})
	pay.Lost = 2
	never := engine.JourneyStep{JourneyStep: query.JourneyStep{Name: "Search"}, Now: none, Usual: none, Before: none, After: none, P95: nan, Lost: nan, Problem: "never occurred"}
	scores := []float64{5, 90, nan}
	return engine.JourneysAnswer{
		Provenance: engine.Provenance{Queries: []string{"sum(rate(calls[5m]))"}, Notices: []string{"Browse, step 2: Search never occurred."}}, Threshold: 75,
		Journeys: []engine.Journey{{
			Name: "Browse to checkout", Completions: 18, Conversion: 0.2, Success: 0.899, Latency: 0.5, State: 1,
			Result: anomaly.CompositeResult{Start: noon, Step: time.Minute, Score: scores, Events: []anomaly.CompositeEvent{{
				Start: noon.Add(time.Minute), End: noon.Add(time.Minute), Score: 90, Signals: []anomaly.Witness{{Name: "success", Share: 1}},
			}}},
			Completed: anomaly.Result{
				Actual:   series.Series{Start: noon, Step: time.Minute, Values: []float64{30, 18, nan}},
				Expected: []float64{30, 30, 30}, Lower: []float64{25, 25, 25}, Upper: []float64{35, 35, 35},
			},
			Forecast: forecast.Result{
				Start: noon.Add(3 * time.Minute), Step: time.Minute, Mean: []float64{29, 28},
				Intervals: []forecast.Interval{{Probability: 0.95, Lower: []float64{20, 19}, Upper: []float64{38, math.Inf(1)}}},
			},
			Steps:  []engine.JourneyStep{home, never, pay},
			Losses: []journey.Loss{{Step: 2, Culprit: 2, Errors: true, Users: 2, Text: "10 % of requests fail."}},
			Cause:  "payment", Why: []string{"10 % of requests fail.", "payment fails."},
			Deploy: &engine.Deploy{Service: "web", Version: "2.0.0", FirstSeen: noon, At: noon},
		}, {
			Name: "Account", Completions: nan, Conversion: nan, Success: nan, Latency: nan, State: nan, Problem: "none of its steps occurs",
			Steps: []engine.JourneyStep{never},
		}},
	}
}

func TestJourneyFrames(t *testing.T) {
	for name, test := range map[string]struct {
		view   query.JourneyView
		format query.Format
	}{
		"journey_panel":       {query.JourneySummary, query.Panel},
		"journey_series":      {query.JourneySeries, query.Panel},
		"journey_alert":       {query.JourneySummary, query.Alert},
		"journey_annotations": {query.JourneySummary, query.Annotations},
	} {
		t.Run(name, func(t *testing.T) {
			shaped, err := frames.Journeys(someJourneys(), query.Journey{View: test.view}, test.format)
			require.NoError(t, err)
			requireSeparateTables(t, shaped)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
}
