package replays

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// CurvePoint is what the rule would have done with another threshold.
type CurvePoint struct {
	Threshold         float64
	PerWeek, Share    float64 // pages a week, and share of the time in alert
	Precision, Recall impact.Share
	Current           bool // the rule as it is
}

// variant is a rule to try.
type variant struct {
	threshold, minDeviation float64
	direction               string
	pending                 time.Duration
	record                  *replay.Record
	rule                    replay.Rule
}

// tune draws the curve and makes a proposal.
func (e Replayer) tune(ctx context.Context, p plan, d *played, j judge, a *Answer) error {
	n := len(p.times)
	over := a.To.Sub(a.From)
	err := core.Compute(ctx, func() {
		for _, threshold := range thresholds(p, d) {
			if ctx.Err() != nil {
				return
			}
			v := p.variant(d, threshold, 0, p.rule.For)
			m := v.record.Play(v.rule, 0, n)
			_, firing := m.Evaluations()
			report := j.report(m.Pages())
			a.Curve = append(a.Curve, CurvePoint{
				Threshold: threshold, PerWeek: replay.PerWeek(replay.Alerts(m.Pages()), over), Share: float64(firing) / float64(over),
				Precision: report.Precision, Recall: report.Recall, Current: threshold == p.rule.Load.Params[0],
			})
		}
	})
	if err != nil || p.query.View == query.ReplayCurve {
		return err
	}
	return e.propose(ctx, p, d, j, a)
}

// thresholds are those of the curve, the rule's own among them.
func thresholds(p plan, d *played) (all []float64) {
	if len(p.rule.Load.Params) == 0 {
		return nil // every series alerts
	}
	switch p.asked.(type) {
	case query.Anomaly, query.Composite:
		all = []float64{30, 40, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95}
	case query.Breach:
		all = []float64{0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}
	default:
		var seen []float64
		for _, values := range d.record.Series {
			seen = append(seen, stats.Observed(values)...)
		}
		slices.Sort(seen)
		for _, q := range []float64{0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999} {
			if sideOf(p) == replay.Low {
				q = 1 - q
			}
			all = append(all, rounded(stats.Quantile(seen, q)))
		}
	}
	all = append(all, p.rule.Load.Params[0])
	slices.Sort(all)
	return slices.Compact(all)
}

// rounded has three significant digits, as people write limits.
func rounded(v float64) float64 {
	var text float64
	if _, err := fmt.Sscan(fmt.Sprintf("%.3g", v), &text); err != nil {
		return v
	}
	return text
}

// variant is the rule with another threshold; what recovers moves along.
func (p plan) variant(d *played, threshold, minDeviation float64, pending time.Duration) variant {
	v := variant{threshold: threshold, minDeviation: minDeviation, pending: pending, record: d.record, rule: p.rule}
	v.rule.For = pending
	v.rule.Load.Params = []float64{threshold}
	if p.rule.Unload != nil {
		before := p.rule.Load.Params[0]
		recovery := threshold - (before - p.rule.Unload.Params[0])
		if before != 0 && p.asked != nil {
			recovery = rounded(threshold * p.rule.Unload.Params[0] / before)
		}
		v.rule.Unload = &replay.Evaluator{Type: p.rule.Unload.Type, Params: []float64{recovery}}
	}
	if d.courses != nil {
		v.record = d.record.With(d.scores(threshold, minDeviation))
	}
	return v
}
