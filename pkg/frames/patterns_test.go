package frames_test

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// TestGoldenPatterns pins the shapes of what makes requests slow.
func TestGoldenPatterns(t *testing.T) {
	quiet := engine.PatternsAnswer{Service: "orders", Result: pattern.Result{Traces: 200}}
	unjudged := engine.PatternsAnswer{Service: "orders", Compared: true, Result: pattern.Result{Traces: 200, BaselineTraces: 12}}
	for name, shape := range map[string]struct {
		answer engine.PatternsAnswer
		format query.Format
	}{
		"patterns_panel":        {somePatterns(), query.Panel},
		"patterns_panel_empty":  {quiet, query.Panel},
		"patterns_alert":        {somePatterns(), query.Alert},
		"patterns_alert_quiet":  {quiet, query.Alert},
		"patterns_alert_unsure": {unjudged, query.Alert},
		"patterns_annotations":  {somePatterns(), query.Annotations},
	} {
		t.Run(name, func(t *testing.T) {
			shaped, err := frames.Patterns(shape.answer, shape.format)
			require.NoError(t, err)
			requireSeparateTables(t, shaped)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
	_, err := frames.Patterns(quiet, "picture")
	require.Error(t, err)
}

func somePatterns() engine.PatternsAnswer {
	return engine.PatternsAnswer{
		Provenance: engine.Provenance{Queries: []string{`candidate: { resource.service.name = "orders" }`}},
		Service:    "orders", BaselineVersion: "1.4.0", CandidateVersion: "1.5.0", Compared: true,
		Start: noon, End: noon.Add(10 * time.Minute),
		Result: pattern.Result{Traces: 120, BaselineTraces: 300, Findings: []pattern.Finding{{
			Kind: pattern.NPlusOne, Change: pattern.Introduced, Service: "orders", Operation: "GET /customers/{id}/orders",
			Endpoint: "web", EndpointService: "web", EndpointOperation: "GET /account/orders", Path: "web·GET /account/orders·server > orders",
			Calls: []pattern.Call{{Service: "orders", Operation: "SELECT * FROM order_items WHERE order_id = ?", Example: "SELECT * FROM order_items WHERE order_id = 12"}},
			Side: pattern.Side{Traces: 110, Requests: 120, Share: stats.Interval{Estimate: 0.917, Lower: 0.853, Upper: 0.954},
				Repeats: 8, MaxRepeats: 19, Time: 24e6, Saved: 20e6, SavedP95: 44e6, SavedPerRequest: 19e6, SavedShare: 0.31},
			Baseline: &pattern.Side{Requests: 300}, PValue: 1e-12,
			Evidence: "it runs 8 (up to 19) times", Advice: "Ask for all rows with one statement.",
			Examples: []trace.TraceID{{15: 1}, {15: 2}},
		}, {
			Kind: pattern.PoolWait, Change: pattern.Unchanged, Service: "orders", Operation: "POST /orders", Path: "orders > acquire",
			Side: pattern.Side{Traces: 9, Requests: 120, Saved: 30e6}, Baseline: &pattern.Side{Traces: 20, Requests: 300, Saved: nan}, PValue: 1,
		}}},
	}
}
