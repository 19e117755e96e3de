package frames

import (
	"fmt"
	"maps"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/slo"
)

// Budgets shapes error budgets. As a panel: a table of budgets and one of what burnt
// them, one of both, the multi-window burn-rate alerts, or what is left over time
// and ahead. As an alert: one instance per objective with the number that was asked
// for, null where it is unknown.
func Budgets(a engine.BudgetsAnswer, q query.Budget, format query.Format) (data.Frames, error) {
	notices := remarksOf(a.Provenance)
	for _, b := range a.Budgets {
		notices.addSeries(b.Name(), b.Problem, nil)
	}
	switch {
	case format == query.Alert:
		instances := make([]instance, len(a.Budgets))
		for i, b := range a.Budgets {
			instances[i] = instance{labels: budgetLabels(b), value: budgetMeasure(b, q.Measure)}
		}
		return alertFrames(string(q.Measure), instances, a.Provenance, notices, "There is no objective.")
	case format != query.Panel:
		return nil, noFormat(query.TypeBudget, format)
	}
	switch q.View {
	case query.BudgetSeries:
		return notices.attach(budgetSeries(a)), nil
	case query.BudgetParts:
		return notices.attach(data.Frames{burntTable(a)}), nil
	case query.BudgetAlerts:
		return notices.attach(data.Frames{burnAlertTable(a)}), nil
	}
	return notices.attach(data.Frames{budgetTable(a), burntTable(a)}), nil
}

// budgetLabels are those of an objective's instance; they stay while it does.
func budgetLabels(b engine.ErrorBudget) series.Labels {
	labels := series.Labels{}
	maps.Copy(labels, b.Labels)
	labels["objective"] = b.Objective.Name
	if b.Objective.Service != "" {
		labels["service_name"] = b.Objective.Service
	}
	return labels
}

func budgetMeasure(b engine.ErrorBudget, measure query.BudgetMeasure) float64 {
	switch measure {
	case query.BudgetLeft:
		return b.Now.Left
	case query.BudgetBurn:
		return b.BurnHour
	case query.BudgetPage, query.BudgetTicket:
		return b.Firing(string(measure))
	}
	return b.Outlook.Probability
}

var budgetStates = data.ValueMappings{data.ValueMapper{
	"exhausted": {Text: "exhausted", Color: "red", Index: 0},
	"page":      {Text: "burns fast", Color: "red", Index: 1},
	"ticket":    {Text: "burns", Color: "orange", Index: 2},
	"ok":        {Text: "ok", Color: "green", Index: 3},
	"unknown":   {Text: "unknown", Color: "text", Index: 4},
}}

func budgetState(b engine.ErrorBudget) string {
	switch {
	case b.Now.Left <= 0:
		return "exhausted"
	case b.Firing("page") == 1:
		return "page"
	case b.Firing("ticket") == 1:
		return "ticket"
	case b.Now.Left > 0:
		return "ok"
	}
	return "unknown"
}

func budgetTable(a engine.BudgetsAnswer) *data.Frame {
	frame := newFrame("budgets", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	type row = engine.ErrorBudget
	rows := a.Budgets
	table := rowsOf[row](rows)
	text, amount, moment := table.text, table.amount, table.moment
	// Requests are not known where only shares of them are.
	requests := func(name, title string, value func(row) float64) *data.Field {
		return column(rows, name, title, "short", func(b row) *float64 {
			if b.Shares {
				return nil
			}
			return nullable(value(b))
		})
	}
	state := text("state", "State", budgetState)
	state.Config.Mappings = budgetStates
	frame.Fields = data.Fields{
		text("objective", "Objective", func(b row) string { return b.Objective.Name }),
		text("service", "Service", func(b row) string { return b.Objective.Service }),
		state,
		amount("left", "Budget left", "percentunit", func(b row) float64 { return b.Now.Left }),
		amount("probability", "Exhausted within the horizon", "percentunit", func(b row) float64 { return b.Outlook.Probability }),
		moment("early", "Exhausted, earliest 10 %", func(b row) time.Time { return b.Outlook.Early }),
		moment("median", "Exhausted, median", func(b row) time.Time { return b.Outlook.Median }),
		moment("late", "Exhausted, latest 10 %", func(b row) time.Time { return b.Outlook.Late }),
		text("horizon", "Horizon", func(b row) string {
			if b.Horizon == 0 {
				return ""
			}
			return query.Duration(b.Horizon).String()
		}),
		amount("burn_1h", "Burn rate, 1 h", "none", func(b row) float64 { return b.BurnHour }),
		amount("burn_6h", "Burn rate, 6 h", "none", func(b row) float64 { return b.BurnSixHours }),
		amount("burn_3d", "Burn rate, 3 d", "none", func(b row) float64 { return b.BurnThreeDays }),
		amount("target", "Target", "percentunit", func(b row) float64 { return b.Objective.Target }),
		text("window", "Window", func(b row) string { return query.Duration(b.Objective.Window).String() }),
		requests("requests", "Requests", func(b row) float64 { return b.Now.Total }),
		requests("bad", "Bad requests", func(b row) float64 { return b.Now.Bad }),
		requests("allowed", "Bad requests allowed", func(b row) float64 { return b.Now.Allowed }),
		moment("since", "Burning since", func(b row) time.Time { return b.Outlook.Since }),
		text("labels", "Labels", func(b row) string {
			if len(b.Labels) == 0 {
				return ""
			}
			return b.Labels.String()
		}),
		text("source", "From", func(b row) string { return b.Source }),
		text("problem", "Problem", func(b row) string { return b.Problem }),
	}
	return frame
}

// burnt is what one cause burnt of an objective's budget.
type burnt struct {
	of engine.ErrorBudget
	slo.Part
}

func (p burnt) title() string {
	switch p.Cause {
	case slo.Deployed:
		return "deploy of " + p.Name
	case slo.Dependency:
		return "calls to " + p.Name
	case slo.Load:
		return "more or fewer requests than usual"
	case slo.Background:
		return "what is usual"
	}
	return "episodes that nothing explains"
}

func burntTable(a engine.BudgetsAnswer) *data.Frame {
	frame := newFrame("burnt", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	var rows []burnt
	for _, b := range a.Budgets {
		for _, p := range b.Parts {
			rows = append(rows, burnt{b, p})
		}
	}
	frame.Fields = data.Fields{
		column(rows, "of", "Objective", "", func(p burnt) string { return p.of.Name() }),
		column(rows, "cause", "Cause", "", func(p burnt) string { return string(p.Cause) }),
		column(rows, "what", "Burnt by", "", burnt.title),
		column(rows, "budget", "Part of the budget", "percentunit", func(p burnt) *float64 { return nullable(p.Budget) }),
		column(rows, "bad_requests", "Bad requests", "short", func(p burnt) *float64 {
			if p.of.Shares {
				return nil
			}
			return nullable(p.Bad)
		}),
		column(rows, "from", "From", "", func(p burnt) *time.Time { return nullableTime(p.From) }),
		column(rows, "to", "To", "", func(p burnt) *time.Time { return nullableTime(p.To) }),
	}
	return frame
}

// burnAlert is a burn-rate alert of an objective.
type burnAlert struct {
	of    engine.ErrorBudget
	alert int
}

func burnAlertTable(a engine.BudgetsAnswer) *data.Frame {
	frame := newFrame("burn_rate_alerts", data.FrameTypeTable, data.VisTypeTable, a.Provenance)
	var rows []burnAlert
	for _, b := range a.Budgets {
		for i := range b.Alerts {
			rows = append(rows, burnAlert{b, i})
		}
	}
	state := column(rows, "firing", "State", "", func(r burnAlert) string {
		switch r.of.Alerts[r.alert].Firing {
		case 1:
			return "firing"
		case 0:
			return "ok"
		}
		return "unknown"
	})
	frame.Fields = data.Fields{
		column(rows, "objective", "Objective", "", func(r burnAlert) string { return r.of.Name() }),
		column(rows, "severity", "Severity", "", func(r burnAlert) string { return r.of.Alerts[r.alert].Severity }),
		state,
		column(rows, "windows", "Windows", "", func(r burnAlert) string {
			return fmt.Sprintf("%s and %s", query.Duration(r.of.Alerts[r.alert].Long), query.Duration(r.of.Alerts[r.alert].Short))
		}),
		column(rows, "factor", "Fires above a burn rate of", "none", func(r burnAlert) float64 { return r.of.Alerts[r.alert].Factor }),
		column(rows, "long_burn", "Burn rate, long window", "none", func(r burnAlert) *float64 { return nullable(r.of.Alerts[r.alert].LongBurn) }),
		column(rows, "short_burn", "Burn rate, short window", "none", func(r burnAlert) *float64 { return nullable(r.of.Alerts[r.alert].ShortBurn) }),
		column(rows, "spent", "Budget burnt by then", "percentunit", func(r burnAlert) float64 { return r.of.Alerts[r.alert].Spent }),
		column(rows, "impossible", "Remark", "", func(r burnAlert) string { return r.of.Alerts[r.alert].Impossible }),
		column(rows, "promql", "PromQL, to replay", "", func(r burnAlert) string { return r.of.Alerts[r.alert].PromQL }),
	}
	return frame
}

func budgetSeries(a engine.BudgetsAnswer) (frames data.Frames) {
	for i, b := range a.Budgets {
		shown := shownRows(b.Left, a.Shown, nil)
		times := timesOf(b.Left, shown)
		past := len(times)
		for h := range b.Outlook.Left {
			times = append(times, b.Outlook.Start.Add(time.Duration(h)*b.Outlook.Step).UTC())
		}
		frame := newBandFrame(b.Name(), budgetLabels(b), i, times, a.Provenance)
		line := func(role string, observed, ahead []float64) {
			frame.add(role, func(row int) *float64 {
				if row < past {
					return at(observed, shown[row])
				}
				return at(ahead, row-past)
			})
		}
		line(actual, b.Left.Values, nil)
		line(expected, nil, b.Outlook.Left)
		line(lower, nil, b.Outlook.Lower)
		line(upper, nil, b.Outlook.Upper)
		for _, field := range frame.Fields[1:] {
			field.Config.Unit = "percentunit"
		}
		frames = append(frames, frame.Frame)
	}
	if len(frames) == 0 {
		frames = data.Frames{newFrame("budgets", data.FrameTypeTimeSeriesMulti, data.VisTypeGraph, a.Provenance)}
	}
	return frames
}
