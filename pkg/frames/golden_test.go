package frames_test

import (
	"flag"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/breach"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

var update = flag.Bool("update", false, "rewrite the golden frames in testdata")

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	nan  = math.NaN()
)

// TestGolden pins every shape of every answer: dashboards, rules and
// transformations of users rest on them.
func TestGolden(t *testing.T) {
	forecastOf := func(a engine.ForecastAnswer, format query.Format) func() (data.Frames, error) {
		q := query.Forecast{Expr: "sum by (service_name) (rate(requests_total[5m]))", Probability: 0.95}
		return func() (data.Frames, error) { return frames.Forecast(a, q, format) }
	}
	anomalyOf := func(a engine.AnomalyAnswer, format query.Format) func() (data.Frames, error) {
		q := query.Anomaly{Expr: "latency", Legend: "{{ service_name }} latency", Threshold: 75}
		return func() (data.Frames, error) { return frames.Anomaly(a, q, format) }
	}
	breachOf := func(format query.Format) func() (data.Frames, error) {
		return func() (data.Frames, error) {
			return frames.Breach(someBreach(), query.Breach{Expr: "queue", Legend: "{{service_name}}"}, format)
		}
	}
	breachAs := func(view query.View, value query.Value, format query.Format) func() (data.Frames, error) {
		q := query.Breach{Expr: "queue", Legend: "{{service_name}}", View: view, Value: value}
		return func() (data.Frames, error) { return frames.Breach(someBreach(), q, format) }
	}
	compositeAs := func(view query.View, value query.Value, format query.Format) func() (data.Frames, error) {
		q := query.Composite{View: view, Value: value}
		return func() (data.Frames, error) { return frames.Composite(someComposite(), q, format) }
	}
	compositeOf := func(format query.Format) func() (data.Frames, error) {
		return func() (data.Frames, error) { return frames.Composite(someComposite(), query.Composite{}, format) }
	}
	deploysOf := func(a engine.DeploysAnswer, format query.Format) func() (data.Frames, error) {
		return func() (data.Frames, error) { return frames.Deploys(a, format) }
	}
	traceDiffOf := func(a engine.TraceDiffAnswer, view query.View, format query.Format) func() (data.Frames, error) {
		return func() (data.Frames, error) { return frames.TraceDiff(a, query.TraceDiff{View: view}, format) }
	}
	incidentsOf := func(a engine.IncidentsAnswer, format query.Format) func() (data.Frames, error) {
		return func() (data.Frames, error) { return frames.Incidents(a, format) }
	}
	replayOf := func(a engine.ReplayAnswer, format query.Format) func() (data.Frames, error) {
		return func() (data.Frames, error) { return frames.Replay(a, format) }
	}
	namesOf := func(a engine.NamesAnswer) func() (data.Frames, error) {
		return func() (data.Frames, error) { return frames.Names(a, query.TypeServices, query.Panel) }
	}
	for name, shape := range map[string]func() (data.Frames, error){
		"forecast_panel":         forecastOf(someForecast(), query.Panel),
		"forecast_panel_empty":   forecastOf(engine.ForecastAnswer{}, query.Panel),
		"forecast_alert":         forecastOf(someForecast(), query.Alert),
		"forecast_alert_empty":   forecastOf(engine.ForecastAnswer{}, query.Alert),
		"anomaly_panel":          anomalyOf(someAnomaly(), query.Panel),
		"anomaly_alert":          anomalyOf(someAnomaly(), query.Alert),
		"anomaly_annotations":    anomalyOf(someAnomaly(), query.Annotations),
		"anomaly_quiet":          anomalyOf(engine.AnomalyAnswer{Series: []engine.AnomalySeries{{}}}, query.Annotations),
		"breach_panel":           breachOf(query.Panel),
		"breach_alert":           breachOf(query.Alert),
		"breach_table":           breachAs(query.Table, "", query.Panel),
		"breach_firing":          breachAs("", query.Firing, query.Alert),
		"composite_table":        compositeAs(query.Table, "", query.Panel),
		"composite_firing":       compositeAs("", query.Firing, query.Alert),
		"forecast_earlier":       forecastOf(withEarlier(someForecast()), query.Panel),
		"composite_panel":        compositeOf(query.Panel),
		"composite_alert":        compositeOf(query.Alert),
		"composite_annotations":  compositeOf(query.Annotations),
		"deploys_panel":          deploysOf(someDeploys(), query.Panel),
		"deploys_panel_empty":    deploysOf(engine.DeploysAnswer{}, query.Panel),
		"deploys_alert":          deploysOf(someDeploys(), query.Alert),
		"deploys_annotations":    deploysOf(someDeploys(), query.Annotations),
		"tracediff_panel":        traceDiffOf(someTraceDiff(), "", query.Panel),
		"tracediff_summary":      traceDiffOf(someTraceDiff(), query.Summary, query.Panel),
		"tracediff_attributes":   traceDiffOf(withAttributes(), query.Attributes, query.Panel),
		"tracediff_percentiles":  traceDiffOf(someTraceDiff(), query.Percentiles, query.Panel),
		"tracediff_alert":        traceDiffOf(someTraceDiff(), "", query.Alert),
		"tracediff_annotations":  traceDiffOf(someTraceDiff(), "", query.Annotations),
		"tracediff_insufficient": traceDiffOf(tooFewTraces(), "", query.Panel),
		"tracediff_undecided":    traceDiffOf(tooFewTraces(), "", query.Alert),
		"incidents_panel":        incidentsOf(someIncidents(), query.Panel),
		"incidents_alert":        incidentsOf(someIncidents(), query.Alert),
		"incidents_annotations":  incidentsOf(someIncidents(), query.Annotations),
		"incidents_none_ongoing": incidentsOf(engine.IncidentsAnswer{Services: 5, Ongoing: true}, query.Panel),
		"incidents_quiet":        incidentsOf(engine.IncidentsAnswer{Services: 5}, query.Alert),
		"replay_panel":           replayOf(someReplay(""), query.Panel),
		"replay_proposal":        replayOf(someReplay(query.ReplayProposal), query.Panel),
		"replay_curve":           replayOf(someReplay(query.ReplayCurve), query.Panel),
		"replay_labels":          replayOf(someReplay(query.ReplayLabels), query.Panel),
		"replay_annotations":     replayOf(someReplay(""), query.Annotations),
		"replay_quiet":           replayOf(engine.ReplayAnswer{}, query.Panel),
		"names":                  namesOf(engine.NamesAnswer{Names: []string{"checkout", "orders"}}),
		"names_empty":            namesOf(engine.NamesAnswer{}),
	} {
		t.Run(name, func(t *testing.T) {
			shaped, err := shape()
			require.NoError(t, err)
			requireSeparateTables(t, shaped)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
}

// requireSeparateTables: Explore merges the tables of an answer into one where
// a column is in all of them.
func requireSeparateTables(t *testing.T, shaped data.Frames) {
	tables, holders := 0, map[string]int{}
	for _, frame := range shaped {
		if frame.Meta != nil && frame.Meta.PreferredVisualization == data.VisTypeTable && len(frame.Fields) > 0 {
			tables++
			for _, field := range frame.Fields {
				holders[field.Name]++
			}
		}
	}
	for name, in := range holders {
		require.False(t, tables > 1 && in == tables, "the column %q is in each of %d tables", name, tables)
	}
}

func someForecast() engine.ForecastAnswer {
	return engine.ForecastAnswer{
		Provenance: engine.Provenance{
			Queries:    []string{"sum by (service_name) (rate(requests_total[5m])) [14d to 2026-03-02 12:00:00Z, step 1m]"},
			Notices:    []string{"2 of 4 series were left out: at most 2 are forecast at once."},
			Parameters: map[string]any{"step": "1m0s", "horizon": "2m0s", "impossible": nan},
		},
		Series: []engine.ForecastSeries{{
			Labels: series.Labels{"service_name": "checkout", "env": "prod"},
			Actual: series.Series{Start: noon, Step: time.Minute, Values: []float64{10, nan, 12}},
			Forecast: forecast.Result{
				Start: noon.Add(3 * time.Minute), Step: time.Minute,
				Mean: []float64{13, 14},
				Intervals: []forecast.Interval{
					{Probability: 0.8, Lower: []float64{12, 12}, Upper: []float64{14, 16}},
					{Probability: 0.95, Lower: []float64{11, 10}, Upper: []float64{15, math.Inf(1)}},
				},
				Model: "holt-winters", Season: 24 * time.Hour,
				Parameters: map[string]float64{"alpha": 0.3, "beta": nan},
				Error:      0.5, NaiveError: 1.5, Observed: 20000,
				Notices: []string{"12 missing points were filled in."},
			},
		}, {
			Labels:  series.Labels{"service_name": "orders", "env": "prod"},
			Actual:  series.Series{Start: noon, Step: time.Minute, Values: []float64{1, 2, 3}},
			Problem: "not enough data: 3 points, at least 20 are needed",
		}},
	}
}

func someAnomaly() engine.AnomalyAnswer {
	return engine.AnomalyAnswer{
		Provenance: engine.Provenance{Queries: []string{"latency"}},
		Series: []engine.AnomalySeries{{
			Labels: series.Labels{"service_name": "checkout", "pod": "checkout-7d9f"},
			Result: anomaly.Result{
				Actual:   series.Series{Start: noon, Step: time.Minute, Values: []float64{1, 9, nan, 5}},
				Expected: []float64{1, 1, 1, 1}, Lower: []float64{0, 0, 0, 0}, Upper: []float64{2, 2, 2, 2},
				Score: []float64{3, 97.2, nan, 81},
				Events: []anomaly.Event{{
					Start: noon.Add(time.Minute), End: noon.Add(3 * time.Minute), Score: 97.2, Above: true, Actual: 9, Expected: 1,
					Witnesses: []anomaly.Witness{{Name: "z-score", Share: 0.8}, {Name: "cusum", Share: 0.2}},
				}},
				Model: "seasonal-naive", Season: 7 * 24 * time.Hour, Observed: 10000,
			},
		}, {
			Labels:  series.Labels{"service_name": "orders, legacy"},
			Problem: "not enough data: 1 day of history, 2 weeks are needed",
		}},
	}
}

func someBreach() engine.BreachAnswer {
	return engine.BreachAnswer{
		Provenance: engine.Provenance{Queries: []string{"queue"}}, Threshold: 100, Horizon: time.Hour,
		Series: []engine.BreachSeries{{
			Labels: series.Labels{"service_name": "orders"},
			Result: breach.Result{
				Actual:      series.Series{Start: noon, Step: time.Minute, Values: []float64{60, nan, 75}},
				Probability: []float64{0.1, nan, 0.91},
				Early:       noon.Add(20 * time.Minute), Median: noon.Add(30 * time.Minute), Late: noon.Add(50 * time.Minute),
				Slope: 0.02, Trending: 0.99, Season: 24 * time.Hour, Observed: 20000,
			},
		}, {
			Labels:  series.Labels{"service_name": "web"},
			Problem: "not enough data: 3 points, 20 needed",
		}},
	}
}

func someComposite() engine.CompositeAnswer {
	return engine.CompositeAnswer{
		Provenance: engine.Provenance{Queries: []string{"sum(rate(calls[5m]))"}}, Service: "orders",
		Result: anomaly.CompositeResult{
			Start: noon, Step: time.Minute, Score: []float64{2, nan, 88},
			Signals: []anomaly.Contribution{
				{Name: "http requests per second", Share: []float64{0.5, nan, 0.25}},
				{Name: "http 95 % latency", Share: []float64{0.5, nan, 0.75}},
				{Name: "connections in use", Share: []float64{nan, nan, nan}, Problem: "not enough data"},
			},
			Events: []anomaly.CompositeEvent{{
				Start: noon.Add(2 * time.Minute), End: noon.Add(2 * time.Minute), Score: 88,
				Signals: []anomaly.Witness{{Name: "http 95 % latency", Share: 0.75}, {Name: "http requests per second", Share: 0.25}},
			}},
			Gaps: []anomaly.Gap{{Signal: "connections in use", Start: noon, End: noon.Add(2 * time.Minute)}},
		},
	}
}

func someDeploys() engine.DeploysAnswer {
	return engine.DeploysAnswer{
		Provenance: engine.Provenance{Queries: []string{"{} | count_over_time() by (resource.service.version)"}},
		Deploys: []engine.Deploy{
			{Service: "orders", Version: "1.0.0", FirstSeen: noon, LastSeen: noon.Add(time.Hour), Share: 0.1},
			{Service: "orders", Version: "2.0.0", Previous: "1.0.0", FirstSeen: noon.Add(time.Hour), LastSeen: noon.Add(2 * time.Hour), Arrived: true, Share: 0.9,
				At: noon.Add(time.Hour), Source: engine.FromVersion, InTraces: true},
			{Service: "orders", Version: "3.0.0", Previous: "2.0.0", FirstSeen: noon.Add(time.Hour), LastSeen: noon.Add(time.Hour), Arrived: true,
				At: noon.Add(90 * time.Minute), Source: engine.FromAnnotation, Note: "release train"},
			{Service: "web", Version: "5", FirstSeen: noon, LastSeen: noon.Add(2 * time.Hour), Share: 1},
		},
	}
}

func someTraceDiff() engine.TraceDiffAnswer {
	root := diff.Path{
		Key: "web·GET /orders", Service: "web", Operation: "GET /orders", Example: "GET /orders?id=7", Kind: trace.Server,
		Baseline: diff.PathSummary{Traces: 400, Calls: 400, CallsPerRequest: 1,
			Duration: diff.Quantile{Mean: 50e6, P50: 48e6, P95: 80e6, P99: 95e6}, SelfTime: diff.Quantile{Mean: 5e6, P50: 5e6, P95: 6e6, P99: 7e6}},
		Candidate: diff.PathSummary{Traces: 380, Calls: 380, CallsPerRequest: 1, ErrorRate: 0.01,
			Duration: diff.Quantile{Mean: 250e6, P50: 240e6, P95: 330e6, P99: 360e6}, SelfTime: diff.Quantile{Mean: 5e6, P50: 5e6, P95: 6e6, P99: 7e6}},
		Findings: []diff.Finding{{Aspect: diff.Latency, Effect: 5, Lower: 4.7, Upper: 5.4, PValue: 1.2e-30, Worse: true}},
	}
	statement := diff.Path{
		Key: root.Key + " > orders-db·SELECT orders", Depth: 1, Parent: root.Key, Service: "orders-db",
		Operation: "SELECT orders", Example: "SELECT * FROM orders WHERE lower(id) = '7'", Kind: trace.Client,
		Baseline: diff.PathSummary{Traces: 400, Calls: 800, CallsPerRequest: 2,
			Duration: diff.Quantile{Mean: 20e6, P50: 19e6, P95: 30e6, P99: 40e6}, SelfTime: diff.Quantile{Mean: 20e6, P50: 19e6, P95: 30e6, P99: 40e6}},
		Candidate: diff.PathSummary{Traces: 380, Calls: 760, CallsPerRequest: 2,
			Duration: diff.Quantile{Mean: 120e6, P50: 118e6, P95: 160e6, P99: 170e6}, SelfTime: diff.Quantile{Mean: 120e6, P50: 118e6, P95: 160e6, P99: 170e6}},
		Findings: []diff.Finding{
			{Aspect: diff.SelfTime, Effect: 6, Lower: 5.6, Upper: 6.5, PValue: 3e-40, Worse: true},
			{Aspect: diff.Latency, Effect: 6, Lower: 5.6, Upper: math.Inf(1), PValue: nan, Worse: true},
		},
		Responsible: true, Share: 1,
		BaselineExamples:  []trace.TraceID{{15: 1}, {15: 2}},
		CandidateExamples: []trace.TraceID{{15: 3}},
	}
	cache := diff.Path{
		Key: root.Key + " > cache·GET", Depth: 1, Parent: root.Key, Service: "cache", Operation: "GET", Kind: trace.Client,
		Baseline: diff.PathSummary{Traces: 400, Calls: 400, CallsPerRequest: 1, ErrorRate: 0,
			Duration: diff.Quantile{Mean: 1e6, P50: 1e6, P95: 1e6, P99: 1e6}, SelfTime: diff.Quantile{Mean: 1e6, P50: 1e6, P95: 1e6, P99: 1e6}},
		Findings: []diff.Finding{{Aspect: diff.Gone, Effect: 1, Lower: 0.99, Upper: 1, PValue: 1e-9, Worse: true}},
	}
	return engine.TraceDiffAnswer{
		Provenance: engine.Provenance{Queries: []string{`baseline: { resource.service.name = "web" }`}, Notices: []string{"The baseline is a sample."}},
		Service:    "web", Operation: "GET /orders", BaselineVersion: "1.0.0", CandidateVersion: "2.0.0",
		BaselineTraceQL:  `{ resource.service.name = "web" && resource.service.version = "1.0.0" }`,
		CandidateTraceQL: `{ resource.service.name = "web" && resource.service.version = "2.0.0" }`,
		Result: diff.Result{
			Verdict: diff.Regressed, Reason: "orders-db SELECT orders takes ×6.00 of its self time.",
			Baseline:  diff.PopulationSummary{Traces: 400, Spans: 1600, Start: noon.Add(-time.Hour), End: noon},
			Candidate: diff.PopulationSummary{Traces: 380, Spans: 1140, Incomplete: 3, Start: noon, End: noon.Add(time.Hour)},
			Paths:     []diff.Path{statement, root, cache},
			Notices:   []string{"3 traces are incomplete."},
		},
	}
}

func withAttributes() engine.TraceDiffAnswer {
	a := someTraceDiff()
	a.Attributes = []diff.AttributeDifference{{
		Service: "payment", Attribute: "payment.provider", Value: "acme",
		Baseline: stats.Proportion{Successes: 11, Trials: 100}, Candidate: stats.Proportion{Successes: 96, Trials: 100},
		Difference: stats.Interval{Estimate: 0.85, Lower: 0.75, Upper: 0.91}, PValue: 1e-20, Also: []string{"payment.region = eu"},
	}}
	return a
}

func tooFewTraces() engine.TraceDiffAnswer {
	return engine.TraceDiffAnswer{
		Service: "web",
		Result:  diff.Result{Verdict: diff.Insufficient, Reason: "The candidate has 3 traces; 27 more are needed.", NeededTraces: 27},
	}
}

func TestAForecastOutOfSightSaysHowToSeeIt(t *testing.T) {
	said := func(rangeEnd time.Time) (texts []string) {
		a := someForecast()
		a.RangeEnd = rangeEnd
		shaped, err := frames.Forecast(a, query.Forecast{}, query.Panel)
		require.NoError(t, err)
		for _, notice := range shaped[0].Meta.Notices {
			texts = append(texts, notice.Text)
		}
		return texts
	}
	const reported = "The forecast lies beyond the end of the range. To see it, end the range 2m later: at now+2m instead of now."
	require.Contains(t, said(noon.Add(2*time.Minute)), reported, "the forecast is of 12:03 and 12:04")
	require.Contains(t, said(noon.Add(-56*time.Minute)), strings.ReplaceAll(reported, "2m", "1h"))
	require.NotContains(t, strings.Join(said(noon.Add(4*time.Minute)), " "), "beyond the end")
	require.NotContains(t, strings.Join(said(time.Time{}), " "), "beyond the end")
}

// withEarlier is a forecast in a panel that ends now.
func withEarlier(a engine.ForecastAnswer) engine.ForecastAnswer {
	a.RangeEnd = noon.Add(2 * time.Minute)
	for i := range a.Series {
		if f := a.Series[i].Forecast; f.Model != "" {
			f.Start = f.Start.Add(-2 * f.Step)
			a.Series[i].Earlier = f
		}
	}
	return a
}
