package frames_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
)

func someReplay(view query.ReplayView) engine.ReplayAnswer {
	asked := query.Anomaly{Expr: `rate(x{y="${z}"}[5m])`, Direction: "above", MinDeviation: 5}.WithDefaults()
	load, unload := replay.Evaluator{Type: replay.Above, Params: []float64{75}}, replay.Evaluator{Type: replay.Below, Params: []float64{50}}
	rule := replay.Rule{Load: load, Unload: &unload, Interval: time.Minute, For: 2 * time.Minute, NoData: replay.AsOK}
	shop := series.Labels{"service_name": "shop"}
	page := replay.Page{Instance: 1, Kind: replay.KindAlert, Start: noon.Add(-5 * time.Hour), End: noon.Add(-4 * time.Hour), Peak: 92.5, PeakAt: noon.Add(-5 * time.Hour)}
	lost := replay.Page{Instance: 1, Kind: replay.KindNoData, Start: noon.Add(-time.Hour), End: noon, Firing: true, Peak: nan}
	half := impact.Share{Count: 1, Of: 2, Interval: stats.Wilson(stats.Proportion{Successes: 1, Trials: 2}, 0.95)}
	report := impact.Report{Precision: half, Incidents: []impact.JudgedIncident{{
		Incident: impact.Incident{Service: "shop", Start: noon.Add(-5 * time.Hour), End: noon.Add(-4 * time.Hour), Source: impact.Reported}, Finding: impact.Yes, Detected: true,
	}}, Lead: impact.Times{Count: 1, Median: 3 * time.Minute}}
	question, _ := json.Marshal(map[string]any{"queryType": "anomaly", "expr": asked.Expr})
	q := query.Replay{Question: question, View: view}.WithDefaults()
	return engine.ReplayAnswer{
		Provenance: engine.Provenance{Queries: []string{"x [2026-01-01 to 2026-03-02, step 1m, in 9 parts]"}, Notices: []string{"3 of 9 values are missing."}},
		Query:      q, Rule: rule, From: noon.Add(-7 * 24 * time.Hour), To: noon, Evaluations: 10_081, Values: 9, Answered: 6,
		Cost:   engine.ReplayCost{Series: 3, Points: 90_000, MaxPoints: 8 << 20, Queries: 9, From: noon.Add(-60 * 24 * time.Hour), To: noon},
		Labels: []series.Labels{{}, shop}, Pages: []replay.Page{page, lost}, Firing: 2 * time.Hour, Report: report,
		Judged: []engine.JudgedPage{
			{Page: page, Labels: shop, Finding: impact.Yes, Reason: "an incident began", Lead: 3 * time.Minute, HasLead: true},
			{Page: lost, Labels: shop, Finding: impact.Open, Reason: "it is not about a value"},
		},
		Rivals: []engine.ReplayRival{{Name: "z-score", What: "more than 3 standard deviations", Pages: []replay.Page{page}, Firing: time.Hour}},
		Course: []engine.ReplayCourse{{
			Labels: shop, Start: noon, Step: time.Hour,
			Actual: []float64{1, nan}, Lower: []float64{0, 1}, Upper: []float64{2, 3}, Value: []float64{10, 80},
		}},
		Curve: []engine.ReplayCurvePoint{{Threshold: 75, PerWeek: 2, Share: 0.01, Recall: half, Current: true}, {Threshold: 80, PerWeek: 1}},
		Proposal: &engine.ReplayProposal{
			Query: rule, Asked: asked, Threshold: 75, Recovery: 50, For: 2 * time.Minute, Direction: "above", MinDeviation: 5, Met: true,
			First: engine.ReplayHalf{Pages: 2, PerWeek: 4, Before: 3, Recall: half}, Second: engine.ReplayHalf{Pages: 1, PerWeek: 2, Before: 2}, Rule: q,
		},
		Said: []engine.ReplayLabelled{{Said: impact.Said{Service: "shop", At: noon, Real: true}, Now: true}},
	}
}

// TestAProposedRuleCanBeCopied: what is shown as YAML and JSON is a rule that the
// plugin's own parser, and our rules for rules, accept.
func TestAProposedRuleCanBeCopied(t *testing.T) {
	shaped, err := frames.Replay(someReplay(query.ReplayProposal), query.Panel)
	require.NoError(t, err)
	text := func(name string) string {
		field, _ := shaped[0].FieldByName(name)
		require.NotNil(t, field, name)
		return field.At(0).(string)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				KeepFiringFor string `yaml:"keepFiringFor"`
				Data          []struct {
					QueryType string `yaml:"queryType"`
					Model     map[string]any
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(text("yaml")), &file))
	rule := file.Groups[0].Rules[0]
	keep, err := time.ParseDuration(rule.KeepFiringFor)
	require.NoError(t, err)
	require.GreaterOrEqual(t, keep, 5*time.Minute)
	require.Equal(t, "anomaly", rule.Data[0].QueryType)
	model, err := json.Marshal(rule.Data[0].Model)
	require.NoError(t, err)
	asked, err := query.Parse("", model)
	require.NoError(t, err)
	require.Empty(t, query.UnknownFields(asked, model))
	require.Equal(t, 5.0, asked.(query.Anomaly).MinDeviation)
	require.Contains(t, rule.Data[1].Model["conditions"].([]any)[0], "unloadEvaluator")
	require.True(t, json.Valid([]byte(text("json"))))
	require.Contains(t, text("terraform"), `y=\\\"$${z}\\\"`, "a template of HCL is none")
}
