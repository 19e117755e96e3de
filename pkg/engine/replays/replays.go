// Package replays answers how a rule would have alerted: it evaluates a question
// at every instant of the past at which its rule would have asked, with what was
// known then.
package replays

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/replay"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Replayer replays rules.
type Replayer struct {
	metrics.Evaluator
	Advisor ops.Advisor
	// Results remembers what was replayed; nil to remember nothing.
	Results *Results
}

// Answer is how a rule would have alerted.
type Answer struct {
	core.Provenance
	Query query.Replay
	Rule  replay.Rule
	// Cost is what the replay read of the metrics server.
	Cost core.Cost
	// From and To are the first and the last evaluation.
	From, To    time.Time
	Evaluations int
	// Values is how many numbers the rule evaluated, Answered how many of them were
	// no gaps, and Failed how many evaluations failed.
	Values, Answered, Failed int
	Labels                   []series.Labels // of the instances, by number
	Pages                    []replay.Page
	// Judged are the pages with what came of them, in the same order.
	Judged []Judged
	Firing time.Duration
	// Report is what the pages were worth; Known says that incidents are known.
	Report impact.Report
	Known  bool
	Rivals []Rival
	Course []Course
	Curve  []CurvePoint
	// Proposal is nil where none was asked for.
	Proposal *Proposal
	Said     []Labelled

	record *replay.Record
}

// Course is what one instance was, to be drawn.
type Course struct {
	Labels series.Labels
	Start  time.Time
	Step   time.Duration
	// Actual is the metric with its band; Value is what the rule evaluated.
	Actual, Lower, Upper, Value []float64
}

// OfMetric says that the rule evaluates the metric itself, OfProbability that it
// evaluates a probability: scores otherwise.
func (a Answer) OfMetric() bool { return len(a.Query.Question) == 0 }

// OfProbability says that the rule evaluates a probability.
func (a Answer) OfProbability() bool {
	asked, err := a.Query.Asked()
	_, is := asked.(query.Breach)
	return err == nil && is
}

// maxEvaluated bounds the numbers that a replay evaluates.
const maxEvaluated = 4 << 20

// Replay answers a query. Where only the cost is asked for, nothing else is read.
func (e Replayer) Replay(ctx context.Context, q query.Replay, window core.Window) (Answer, error) {
	if e.Metrics == nil {
		return Answer{}, core.ErrNoMetrics
	}
	p, err := e.plan(ctx, q, window)
	if err != nil {
		return Answer{Query: q}, err
	}
	answer := Answer{Query: q, Rule: p.rule, Cost: p.cost, From: p.times[0], To: p.times[len(p.times)-1], Evaluations: len(p.times)}
	answer.SetParameter("step", p.long[0].Grid.Step.String())
	answer.SetParameter("evaluations", len(p.times))
	answer.AddNotice(p.notices...)
	if q.View == query.ReplayCost {
		return answer, nil
	}
	done, err := e.played(ctx, p)
	if err != nil {
		return answer, err
	}
	answer.Merge(done.basis)
	answer.record, answer.Labels = done.record, done.record.Labels
	m := done.record.Play(p.rule, 0, len(p.times))
	answer.Pages = m.Pages()
	_, answer.Firing = m.Evaluations()
	answer.Values, answer.Answered = done.record.Evaluated()
	for _, run := range done.record.Runs {
		if run.Failed {
			answer.Failed += run.To - run.From
		}
	}
	answer.remark(p)
	return answer, e.worth(ctx, p, done, &answer)
}

// remark says what the reader should know of the result.
func (a *Answer) remark(p plan) {
	switch {
	case a.Answered == 0:
		a.AddNotice(fmt.Sprintf("The rule would never have been evaluated to a number between %s and %s: the metric has no samples there, or too few before to learn from. The store may keep less than that, or the expr may be wrong.",
			core.FormatTime(a.From), core.FormatTime(a.To)))
	case 2*a.Answered < a.Values:
		a.AddNotice(fmt.Sprintf("%d of %d values are missing: the store may keep less than what was asked for, or series came and went.", a.Values-a.Answered, a.Values))
	}
	if a.Failed > 0 {
		a.AddNotice(fmt.Sprintf("%d of %d evaluations would have failed: more than one series has the same labels. Aggregate the expr so that one series is left for each.", a.Failed, a.Evaluations))
	}
	if p.asked != nil {
		a.AddNotice("Samples that arrived late count here as if they had been in time, and labels of feedback, which were given later, do not change scores.")
	}
}

// plan is what is to be evaluated, and when.
type plan struct {
	query query.Replay
	asked query.Query // nil for PromQL
	rule  replay.Rule
	times []time.Time
	// windows and grids are those of each evaluation.
	grids   []core.Grid
	long    []core.Long // the histories to fetch
	cost    core.Cost   // of all of them
	signals *boundSignals
	notices []string
}

// plan decides when to evaluate, and what to fetch for it.
func (e Replayer) plan(ctx context.Context, q query.Replay, window core.Window) (plan, error) {
	p := plan{query: q}
	var err error
	if p.asked, err = q.Asked(); err != nil {
		return p, core.UserErrorf("%v", err)
	}
	if p.rule, err = ruleOf(q, p.asked); err != nil {
		return p, core.UserErrorf("%v", err)
	}
	interval, past := time.Duration(q.Interval), time.Duration(q.Past)
	last := core.Floor(e.Present(window), interval)
	for at := core.Floor(last.Add(-past), interval); !at.After(last); at = at.Add(interval) {
		p.times = append(p.times, at)
		if len(p.times) > maxEvaluated {
			return p, core.UserErrorf("past: %s has more than %d intervals of %s: shorten past, or raise interval", q.Past, maxEvaluated, q.Interval)
		}
	}
	if len(p.times) < 2 {
		return p, core.UserErrorf("past: %s is shorter than two intervals of %s", q.Past, q.Interval)
	}
	if p.long, p.grids, err = e.lay(ctx, &p, last); err != nil {
		return p, err
	}
	for i, l := range p.long {
		cost, err := e.Cost(ctx, l)
		if err != nil {
			return p, err
		}
		p.long[i].Expr, p.long[i].Filters = cost.Expr, nil
		if i == 0 {
			p.cost = cost
			continue
		}
		p.cost.Points, p.cost.Queries, p.cost.Series = p.cost.Points+cost.Points, p.cost.Queries+cost.Queries, p.cost.Series+cost.Series
	}
	if evaluated := p.cost.Series * len(p.times); evaluated > maxEvaluated {
		return p, core.UserErrorf("expr: %d series at %d evaluations each are %.3g million values, and a replay evaluates %.3g million: aggregate the expr, as in sum by (instance) (...), shorten past, or raise interval",
			p.cost.Series, len(p.times), float64(evaluated)/1e6, float64(maxEvaluated)/1e6)
	}
	return p, nil
}

// ruleOf is the rule of a query, with what depends on the question filled in.
func ruleOf(q query.Replay, asked query.Query) (replay.Rule, error) {
	load, unload := q.Threshold, q.Recovery
	or := func(v *float64, fallback float64) *float64 {
		if v == nil {
			return &fallback
		}
		return v
	}
	switch asked.(type) {
	case query.Anomaly, query.Composite:
		if load == nil && unload == nil {
			unload = or(nil, 50)
		}
		load = or(load, query.DefaultThreshold)
	case query.Breach:
		if load == nil && unload == nil {
			unload = or(nil, 0.5)
		}
		load = or(load, 0.8)
	}
	rule := replay.Rule{
		Load:     replay.Evaluator{Type: replay.Comparison(q.Condition)},
		Interval: time.Duration(q.Interval), For: time.Duration(q.For), KeepFiring: time.Duration(q.KeepFiringFor),
		NoData: replay.Outcome(q.NoDataState), Error: replay.AsError,
	}
	if load != nil {
		rule.Load.Params = []float64{*load}
	}
	if unload != nil && load != nil {
		ends := replay.Below
		wrong := *unload > *load
		if rule.Load.Type == replay.Below || rule.Load.Type == replay.AtMost {
			ends, wrong = replay.Above, *unload < *load
		}
		if wrong {
			return rule, fmt.Errorf("recovery is %g, beyond the threshold of %g: an alert would end while it begins", *unload, *load)
		}
		rule.Unload = &replay.Evaluator{Type: ends, Params: []float64{*unload}}
	}
	return rule, rule.Load.Validate()
}

// window is that of an evaluation.
func (p plan) window(at time.Time) core.Window {
	return core.Window{From: at.Add(-time.Duration(p.query.Look)), To: at, Complete: true}
}

// lay finds the grid of each evaluation, as a live one would, and the histories
// that hold all of them.
func (e Replayer) lay(ctx context.Context, p *plan, last time.Time) ([]core.Long, []core.Grid, error) {
	newest := p.window(last)
	var exprs []string
	var filters []query.Filter
	var history, step, reach time.Duration
	switch q := p.asked.(type) {
	case query.Anomaly:
		if err := metrics.CheckAnomaly(q); err != nil {
			return nil, nil, err
		}
		exprs, filters, history, step = []string{q.Expr}, q.Filters, time.Duration(q.History), time.Duration(q.Step)
		if len(q.Feedback) > 0 {
			p.notices = append(p.notices, "The labels in the question's feedback are left out: they were given later.")
		}
	case query.Breach:
		exprs, filters, history, step = []string{q.Expr}, q.Filters, time.Duration(q.History), time.Duration(q.Step)
	case query.Composite:
		history, step, reach = time.Duration(q.History), time.Duration(q.Step), anomaly.Reach
	default:
		return layPromQL(p), nil, nil
	}
	var err error
	if len(exprs) > 0 {
		newest, err = e.WithScrape(ctx, newest, step, exprs[0])
	} else {
		p.signals, err = e.bind(ctx, p.asked.(query.Composite), &newest)
	}
	if err != nil {
		return nil, nil, err
	}
	grids := make([]core.Grid, len(p.times))
	for i, at := range p.times {
		w := p.window(at)
		w.Scrape = newest.Scrape
		grids[i] = core.ScoringGrid(w, history, step, reach, at)
	}
	whole := core.Long{Filters: filters, Grid: grids[len(grids)-1], From: grids[0].Start, To: grids[len(grids)-1].To}
	if p.signals != nil {
		exprs = p.signals.exprs(whole.Grid.Step)
	}
	long := make([]core.Long, len(exprs))
	for i, expr := range exprs {
		long[i] = whole
		long[i].Expr = expr
	}
	return long, grids, nil
}

// layPromQL is one history at the instants themselves.
func layPromQL(p *plan) []core.Long {
	interval := time.Duration(p.query.Interval)
	first, last := p.times[0], p.times[len(p.times)-1]
	g := core.NewGrid(p.window(last), 0, interval, last)
	g.Step, g.Requested = interval, interval
	return []core.Long{{Expr: p.query.Expr, Grid: g, From: first, To: last}}
}

// At is what the rule evaluated for an instance at an instant; false where it did
// not.
func (a Answer) At(at time.Time, labels series.Labels) (float64, bool) {
	if a.record == nil {
		return 0, false
	}
	for _, run := range a.record.Runs {
		for k, id := range run.Instances {
			if a.record.Labels[id].String() != labels.String() {
				continue
			}
			if i, found := slices.BinarySearchFunc(a.record.Times[run.From:run.To], at, time.Time.Compare); found {
				return a.record.Series[run.Series[k]][run.From+i], true
			}
		}
	}
	return 0, false
}
