package slo

import (
	"fmt"
	"math"
	"time"
)

// Alert is a multi-window burn-rate alert: it fires while the burn rate over both
// windows is above the factor. The short window ends it soon after the burn ends.
type Alert struct {
	Severity    string // "page" or "ticket"
	Long, Short time.Duration
	// Factor is the burn rate from which on it fires.
	Factor float64
	// Spent is the part of the budget that is burnt at this rate within the long
	// window.
	Spent float64
}

// Alerts are those that the Site Reliability Workbook of Google (2018, chapter 5)
// recommends, for the objective's window: they fire as 2 % of the budget are burnt
// in an hour, 5 % in six, 10 % in a day, and 10 % in three days. One that would
// fire while the budget lasts is left out.
func (o Objective) Alerts() (alerts []Alert) {
	const day = 24 * time.Hour
	for _, a := range []Alert{
		{"page", time.Hour, 5 * time.Minute, 0, 0.02},
		{"page", 6 * time.Hour, 30 * time.Minute, 0, 0.05},
		{"ticket", day, 2 * time.Hour, 0, 0.1},
		{"ticket", 3 * day, 6 * time.Hour, 0, 0.1},
	} {
		a.Factor = a.Spent * o.Window.Hours() / a.Long.Hours()
		if a.Factor >= 1 {
			alerts = append(alerts, a)
		}
	}
	return alerts
}

// Impossible says why an alert can never fire; empty where it can: with every
// request bad, the burn rate is no higher than 1 over the budget.
func (a Alert) Impossible(o Objective) string {
	if most := 1 / o.Budget(); a.Factor >= most {
		return fmt.Sprintf("never fires: with every request bad the burn rate is %.3g, and its factor %.3g", most, a.Factor)
	}
	return ""
}

// Fires tells whether burn rates over the two windows make the alert fire, as 1 or
// 0; NaN where one is unknown.
func (a Alert) Fires(long, short float64) float64 {
	switch {
	case math.IsNaN(long) || math.IsNaN(short):
		return math.NaN()
	case long > a.Factor && short > a.Factor:
		return 1
	}
	return 0
}
