package frames_test

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/objectives"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/slo"
)

func someBudgets() engine.BudgetsAnswer {
	month := 30 * 24 * time.Hour
	shop := slo.Objective{Name: "availability", Service: "shop", Target: 0.999, Window: month}
	recorded := slo.Objective{Name: "search", Target: 0.99, Window: month}
	lost := slo.Objective{Name: "lost", Service: "shop", Target: 0.99, Window: month}
	page := shop.Alerts()[0]
	return engine.BudgetsAnswer{
		Provenance: engine.Provenance{Queries: []string{"sum(rate(requests[15m]))"}},
		Budgets: []engine.ErrorBudget{{
			Objective: shop, Source: "settings", Now: slo.Budget{Total: 1e6, Bad: 600, Allowed: 1000, Left: 0.4, Covered: 1},
			Left: series.Series{Start: noon, Step: 15 * time.Minute, Values: []float64{0.6, nan, 0.4}},
			Outlook: slo.Outlook{
				Probability: 0.62, Early: noon.Add(6 * time.Hour), Median: noon.Add(30 * time.Hour), Start: noon.Add(45 * time.Minute), Step: 15 * time.Minute,
				Left: []float64{0.3, 0.2}, Lower: []float64{0.2, 0}, Upper: []float64{0.39, 0.38}, Usual: 0.0001, Since: noon.Add(-time.Hour),
			},
			Horizon: 72 * time.Hour, BurnHour: 20, BurnSixHours: 4, BurnThreeDays: 1,
			Alerts: []objectives.Alert{
				{Alert: page, LongBurn: 20, ShortBurn: 18, Firing: 1, PromQL: "burn > 1"},
				{Alert: shop.Alerts()[2], LongBurn: nan, ShortBurn: 18, Firing: nan, Impossible: "never fires"},
			},
			Parts: []slo.Part{
				{Cause: slo.Deployed, Name: "2.0.0", Bad: 500, Budget: 0.5, From: noon.Add(-time.Hour), To: noon},
				{Cause: slo.Background, Bad: 150, Budget: 0.15},
				{Cause: slo.Load, Bad: -50, Budget: -0.05},
			},
		}, {
			Objective: recorded, Labels: series.Labels{"region": "eu"}, Source: "Sloth", Shares: true, Now: slo.Budget{Total: 2880, Bad: 40, Allowed: 28.8, Left: -0.39, Covered: 1},
			Left:    series.Series{Start: noon, Step: 15 * time.Minute, Values: []float64{0, -0.2, -0.39}},
			Outlook: slo.Outlook{Probability: 1, Early: noon, Median: noon, Late: noon, Usual: 0.01}, Horizon: 72 * time.Hour,
			Parts: []slo.Part{{Cause: slo.Unknown, Bad: 40, Budget: 1.39}},
		}, {
			Objective: lost, Source: "Pyrra", Now: slo.Budget{Total: nan, Bad: nan, Allowed: nan, Left: nan}, Outlook: slo.Outlook{Probability: nan, Usual: nan},
			BurnHour: nan, BurnSixHours: nan, BurnThreeDays: nan, Problem: "its expressions returned no series",
		}},
	}
}

func TestBudgetFrames(t *testing.T) {
	for name, q := range map[string]query.Budget{
		"budget_panel":      {View: query.BudgetSummary},
		"budget_parts":      {View: query.BudgetParts},
		"budget_series":     {View: query.BudgetSeries},
		"budget_alerts":     {View: query.BudgetAlerts},
		"budget_alert":      {Common: query.Common{Format: query.Alert}, Measure: query.BudgetProbability},
		"budget_alert_left": {Common: query.Common{Format: query.Alert}, Measure: query.BudgetLeft},
		"budget_alert_burn": {Common: query.Common{Format: query.Alert}, Measure: query.BudgetBurn},
		"budget_alert_page": {Common: query.Common{Format: query.Alert}, Measure: query.BudgetPage},
	} {
		t.Run(name, func(t *testing.T) {
			format := query.Panel
			if q.Format != "" {
				format = q.Format
			}
			shaped, err := frames.Budgets(someBudgets(), q, format)
			require.NoError(t, err)
			if q.View == query.BudgetSummary {
				requireSeparateTables(t, shaped)
			}
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
	_, err := frames.Budgets(someBudgets(), query.Budget{}, query.Annotations)
	require.Error(t, err)
}
