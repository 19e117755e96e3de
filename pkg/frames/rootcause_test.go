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
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/trace/changes"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// TestGoldenRootCause pins the frames of suspects.
func TestGoldenRootCause(t *testing.T) {
	unsure := engine.RootCauseAnswer{Service: "web", NeededTraces: 17,
		Result: cause.Result{Verdict: diff.Insufficient, Reason: "Not enough data: 17 more traces are needed.",
			Hints: []diff.Hint{{Service: "orders", Operation: "GET /orders", Path: "web > orders", Kind: diff.Last, PValue: 0.04}}}}
	for name, shape := range map[string]struct {
		answer engine.RootCauseAnswer
		format query.Format
	}{
		"rootcause_panel":               {someCause(), query.Panel},
		"rootcause_panel_none":          {unsure, query.Panel},
		"rootcause_alert":               {someCause(), query.Alert},
		"rootcause_alert_none":          {unsure, query.Alert},
		"rootcause_annotations":         {someCause(), query.Annotations},
		"rootcause_changes":             {causeByChanges(), query.Panel},
		"rootcause_changes_alert":       {causeByChanges(), query.Alert},
		"rootcause_changes_annotations": {causeByChanges(), query.Annotations},
		"rootcause_metrics":             {causeByMetrics(), query.Panel},
		"rootcause_metrics_alert":       {causeByMetrics(), query.Alert},
		"rootcause_metrics_annotations": {causeByMetrics(), query.Annotations},
	} {
		t.Run(name, func(t *testing.T) {
			shaped, err := frames.RootCause(shape.answer, shape.format)
			require.NoError(t, err)
			requireSeparateTables(t, shaped)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
	_, err := frames.RootCause(unsure, "picture")
	require.Error(t, err)
}

func someCause() engine.RootCauseAnswer {
	return engine.RootCauseAnswer{
		Provenance: engine.Provenance{Queries: []string{`baseline: { resource.service.version = "1.4.0" }`}},
		Service:    "web", BaselineVersion: "1.4.0", CandidateVersion: "1.5.0",
		Start: noon, End: noon.Add(10 * time.Minute),
		Baseline:  diff.PopulationSummary{Traces: 400, Start: noon.Add(-time.Hour), End: noon},
		Candidate: diff.PopulationSummary{Traces: 380, Start: noon, End: noon.Add(9 * time.Minute)},
		Result: cause.Result{
			Verdict: diff.Regressed, Reason: "orders is 3× as slow", Victims: []string{"web GET /", "orders GET /orders"},
			Suspects: []cause.Suspect{{
				Explanations: []diff.Explanation{{
					Attribute: "tenant.id", Value: "acme", Coverage: 0.9, With: stats.Proportion{Successes: 90, Trials: 100}, Without: stats.Proportion{Successes: 10, Trials: 300},
				}},
				Kind: cause.Statement, Service: "orders", Operation: "GET /orders", Call: "SELECT * FROM orders WHERE id = ?", Callee: "orders",
				Example: "SELECT * FROM orders WHERE id = 7", Path: "web > orders > SELECT", Endpoints: []string{"web GET /"},
				Share: 0.96, PerRequest: 42e6, Confidence: 0.9,
				Finding: diff.Finding{Aspect: diff.SelfTime, Effect: 3, Lower: 2.6, Upper: 3.4, PValue: 1e-9, Worse: true},
				Reasons: []string{"4 ms → 12 ms", "It is this statement."}, CandidateExamples: []trace.TraceID{{15: 9}},
			}, {
				Kind: cause.Errors, Service: "payment", Operation: "POST /pay", Share: 1, Confidence: 0.1,
				Finding: diff.Finding{Aspect: diff.ErrorRate, Effect: nan}, Reasons: []string{"fails"},
			}},
		},
	}
}

// causeByChanges ranks three deploys of half an hour.
func causeByChanges() engine.RootCauseAnswer {
	change := func(service string, minute int, s changes.Suspect) engine.Change {
		s.Release = changes.Release{Service: service, Minute: minute}
		return engine.Change{Suspect: s, Previous: "1", Version: "2", At: noon.Add(time.Duration(minute) * time.Minute)}
	}
	a := engine.RootCauseAnswer{
		Service: "web", Start: noon, End: noon.Add(time.Hour), BaselineVersion: "1", CandidateVersion: "2",
		Changes: []engine.Change{
			change("payment", 10, changes.Suspect{Score: 9.5, Errors: 0.04, Slower: 1.02, Controlled: true, Judged: true}),
			change("orders", 5, changes.Suspect{Score: 1.2, Errors: 0.001, Slower: 1, Judged: true}),
			change("cart", 20, changes.Suspect{}),
		},
	}
	a.Result = cause.Result{Verdict: diff.Regressed, Reason: "payment 2 is to blame: " + a.Changes[0].Why() + "."}
	return a
}

// causeByMetrics is an answer without traces.
func causeByMetrics() engine.RootCauseAnswer {
	return engine.RootCauseAnswer{
		Provenance: engine.Provenance{Queries: []string{"sum by (client, server) (increase(traces_service_graph_request_total[60s]))"}},
		Service:    "web", Start: noon, End: noon.Add(10 * time.Minute),
		Result: cause.Result{Verdict: diff.Regressed, Reason: "By metrics alone: the latency of web are abnormal.", Victims: []string{"orders"}},
		Metrics: &engine.MetricCauses{
			Signal: propagation.Latency, Onset: noon, Begun: true, Sources: []string{"the service graph"},
			Result: propagation.Result{Verdict: propagation.Abnormal, Deviation: 9, Victims: []string{"orders"}, Suspects: []propagation.Suspect{
				{Service: "payment", Share: 0.9, Before: 0.05, Now: 0.4, Deviation: 12.5, Onset: 30, Requests: 1.1, Path: []string{"web", "orders", "payment"}},
				{Service: "web", Share: 0.1, Before: 0.1, Now: 0.3, Deviation: 9, Onset: -1, Requests: nan, Path: []string{"web"}},
			}},
			Reasons: [][]string{{"its mean latency is 400 ms, 50 ms before", "requests waiting for a connection went from 0 to 12"}, {"its mean latency is 300 ms"}},
		},
	}
}
