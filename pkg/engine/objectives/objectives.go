package objectives

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/slo"
)

// Analyst answers about error budgets.
type Analyst struct {
	core.Sources
	Signals        signals.Finder
	Settings       []Setting
	ForecastModels *metrics.ForecastModels
	Deploys        deploys.Detector
}

// Answer is the budgets of objectives.
type Answer struct {
	core.Provenance
	// Shown is the resolution that a panel can show; 0 for any.
	Shown   time.Duration
	Budgets []Budget
}

// Budget is that of one objective, or of one label set of its expressions. Numbers
// that are not known are NaN.
type Budget struct {
	Objective slo.Objective
	// Labels are those of its series, beside the objective's name and service.
	Labels series.Labels
	Source string // where the objective was found
	Now    slo.Budget
	// Shares says that requests are not known, so that each step counts alike.
	Shares bool
	// Left is what was left after each step of the window.
	Left    series.Series
	Outlook slo.Outlook
	Horizon time.Duration
	// BurnHour, BurnSixHours and BurnThreeDays are burn rates.
	BurnHour, BurnSixHours, BurnThreeDays float64
	Alerts                                []Alert
	Parts                                 []slo.Part
	// Problem is why there is no answer, or none about what comes; empty for none.
	Problem string
}

// Name is the budget among others, for people.
func (b Budget) Name() string {
	if len(b.Labels) == 0 {
		return b.Objective.Title()
	}
	return b.Objective.Title() + " " + b.Labels.String()
}

// Firing is 1 while an alert of a severity fires, 0 while none does, and NaN where
// that is unknown.
func (b Budget) Firing(severity string) float64 {
	state := math.NaN()
	for _, a := range b.Alerts {
		if a.Severity == severity && (math.IsNaN(state) || a.Firing > state) {
			state = a.Firing
		}
	}
	return state
}

// Alert is a multi-window burn-rate alert with its present state.
type Alert struct {
	slo.Alert
	LongBurn, ShortBurn float64
	Firing              float64 // 1, 0 or NaN
	Impossible          string  // why it can never fire; empty where it can
	PromQL              string  // for a rule or a replay; empty where there is none
}

const (
	// maxTogether is how many objectives are looked at at once, of maxObjectives.
	maxTogether, maxObjectives = 4, 50
	// deploysTimeout is how long to wait for deploys, and for dependencies.
	deploysTimeout = 15 * time.Second
	// defaultHorizon is how far to look ahead.
	defaultHorizon = 3 * 24 * time.Hour
	// ratherCovered is the part of a window below which an answer says that it lacks
	// data.
	ratherCovered = 0.9
)

// Names lists the objectives that are found.
func (a Analyst) Names(ctx context.Context, window core.Window) (core.NamesAnswer, error) {
	var answer core.NamesAnswer
	if a.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	found, _, err := a.found(ctx, window, &answer.Provenance)
	for _, s := range found {
		answer.Names = append(answer.Names, s.Name)
	}
	slices.Sort(answer.Names)
	answer.Names = slices.Compact(answer.Names)
	return answer, err
}

// Found lists the objectives of the settings and those recorded.
func (a Analyst) Found(ctx context.Context, window core.Window) ([]Setting, error) {
	found, _, err := a.found(ctx, window, &core.Provenance{})
	return found, err
}

const noObjectives = "no objectives are found: describe them in Foresight's settings (objectives), record them with Sloth or Pyrra, or write a target into the query"

// Budgets answers what is left of error budgets. brief leaves out what a rule does
// not read: what burnt them.
func (a Analyst) Budgets(ctx context.Context, q query.Budget, window core.Window, brief bool) (Answer, error) {
	answer := Answer{Shown: window.Step}
	if a.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	chosen, problems, err := a.chosen(ctx, q, window, &answer.Provenance)
	if err != nil {
		return answer, err
	}
	if len(chosen) == 0 {
		// The rule and the dashboard that come with the plugin are empty until there is
		// an objective.
		answer.AddNotice(noObjectives)
		return answer, nil
	}
	budgets := make([][]Budget, len(chosen))
	bases := make([]core.Provenance, len(chosen))
	group, groupContext := parallel.WithContext(ctx)
	group.SetLimit(maxTogether)
	for i, s := range chosen {
		if problems[i] != "" {
			budgets[i] = []Budget{unknown(s, nil, problems[i])}
			continue
		}
		group.Go(func() (err error) {
			if budgets[i], err = a.judge(groupContext, s, q, window, brief, &bases[i]); err != nil {
				return fmt.Errorf("%s: %w", s.Objective().Title(), err)
			}
			return nil
		})
	}
	err = group.Wait()
	for i := range chosen {
		answer.Merge(bases[i])
		answer.Budgets = append(answer.Budgets, budgets[i]...)
	}
	return answer, err
}

// chosen are the objectives that a query is about, with what is wrong with each.
func (a Analyst) chosen(ctx context.Context, q query.Budget, window core.Window, basis *core.Provenance) ([]Setting, []string, error) {
	if q.Own() {
		own, err := a.own(ctx, q, window, basis)
		return []Setting{own}, []string{core.Problem(own.Objective().Validate())}, err
	}
	found, problems, err := a.found(ctx, window, basis)
	if err != nil {
		return nil, nil, err
	}
	names := q.Names()
	var chosen []Setting
	var wrong []string
	for i, s := range found {
		if (len(names) == 0 || slices.Contains(names, s.Name)) && (q.Service == "" || s.Service == q.Service) {
			chosen, wrong = append(chosen, s), append(wrong, problems[i])
		}
	}
	switch {
	case len(chosen) == 0 && (len(names) > 0 || q.Service != ""):
		var known []string
		for _, s := range found {
			known = append(known, s.Objective().Title())
		}
		if len(known) == 0 {
			return nil, nil, core.NotFoundErrorf("%s", noObjectives)
		}
		return nil, nil, core.NotFoundErrorf("there is no such objective; those there are: %s", core.List(known))
	case len(chosen) > maxObjectives:
		return nil, nil, core.UserErrorf("%d objectives are too many for one query; at most %d are answered at once: name a service, or one objective", len(chosen), maxObjectives)
	}
	return chosen, wrong, nil
}

// own is the objective in a query.
func (a Analyst) own(ctx context.Context, q query.Budget, window core.Window, basis *core.Provenance) (Setting, error) {
	s := Setting{
		Name: q.Objective, Service: q.Service, Target: q.Target, Window: time.Duration(q.Window), Errors: q.Errors, Good: q.Good, Total: q.Total, Source: "query",
	}
	s.Name = cmp.Or(s.Name, "availability")
	if s.Errors != "" || s.Good != "" {
		return s, nil
	}
	served, err := a.Signals.Served(ctx, q.Service, time.Duration(q.Latency), core.Window{From: window.To.Add(-time.Hour), To: window.To})
	if err != nil {
		return s, err
	}
	s.Total, s.Errors = served.Total, served.Failed
	if q.Latency != 0 {
		s.Errors = served.Slow
		if q.Objective == "" {
			s.Name = "latency"
		}
		if served.Limit != time.Duration(q.Latency) {
			basis.AddNotice(fmt.Sprintf("Requests are good within %s, the bound of the histogram's buckets that is closest to %s.", served.Limit, q.Latency))
		}
	}
	return s, nil
}

// unknown is a budget of which nothing is known.
func unknown(s Setting, labels series.Labels, problem string) Budget {
	nan := math.NaN()
	return Budget{
		Objective: s.Objective(), Labels: labels, Source: s.Source, Problem: problem, BurnHour: nan, BurnSixHours: nan, BurnThreeDays: nan,
		Now: slo.Budget{Total: nan, Bad: nan, Allowed: nan, Left: nan, Covered: 0}, Outlook: slo.Outlook{Probability: nan, Usual: nan},
	}
}

// judge looks at one objective.
func (a Analyst) judge(ctx context.Context, s Setting, q query.Budget, window core.Window, brief bool, basis *core.Provenance) ([]Budget, error) {
	// What is counted in long steps needs no finer scrape.
	window.Scrape = 0
	all, err := a.count(ctx, s, window, basis)
	if err != nil {
		return nil, err
	}
	budgets := make([]Budget, len(all))
	if err := core.EachSeries(ctx, len(all), func(i int) { budgets[i] = a.assess(s, all[i], q, window, brief) }); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return []Budget{unknown(s, nil, "its expressions returned no series")}, nil
	}
	if !brief && (q.View == query.BudgetSummary || q.View == query.BudgetParts) {
		a.split(ctx, s, all, budgets, basis)
	}
	return budgets, nil
}

// assess computes all that follows from the counts.
func (a Analyst) assess(s Setting, c counted, q query.Budget, window core.Window, brief bool) Budget {
	b := unknown(s, c.labels, c.problem)
	if c.problem != "" || c.counts.Len() == 0 {
		return b
	}
	o := s.Objective()
	b.Shares = c.counts.Shares
	b.Now = o.Of(c.counts)
	from := max(series.Series{Start: c.counts.Start, Step: c.counts.Step}.Index(window.From), 0)
	b.Left = series.Series{Start: c.counts.Time(from), Step: c.counts.Step, Values: o.Course(c.counts, from)}
	burn := func(over time.Duration) float64 {
		if over <= fineSpan {
			return o.Burn(c.recent, over)
		}
		return o.Burn(c.counts, over)
	}
	b.BurnHour, b.BurnSixHours, b.BurnThreeDays = burn(time.Hour), burn(6*time.Hour), burn(3*24*time.Hour)
	for _, alert := range o.Alerts() {
		long, short := burn(alert.Long), burn(alert.Short)
		b.Alerts = append(b.Alerts, Alert{alert, long, short, alert.Fires(long, short), alert.Impossible(o), s.AlertPromQL(alert)})
	}
	b.Horizon = cmp.Or(time.Duration(q.Horizon), min(defaultHorizon, o.Window/4))
	if brief && q.Measure != query.BudgetProbability {
		return b
	}
	requests, err := a.ahead(c.counts, max(int(b.Horizon/c.counts.Step), 1))
	if err == nil {
		var outlook slo.Outlook
		if outlook, err = o.Ahead(c.counts, requests); err == nil {
			b.Outlook = outlook
		}
	}
	if err != nil {
		b.Problem = "nothing is said of what comes: " + err.Error()
	} else if b.Now.Covered < ratherCovered {
		b.Problem = fmt.Sprintf("only %.0f %% of its window has data", 100*b.Now.Covered)
	}
	return b
}

// ahead is the forecast of requests; where only shares are known each step has one.
func (a Analyst) ahead(c slo.Counts, horizon int) (forecast.Result, error) {
	if c.Shares {
		result := forecast.Result{Start: c.Time(c.Len()), Step: c.Step, Mean: make([]float64, horizon)}
		for h := range result.Mean {
			result.Mean[h] = 1
		}
		return result, nil
	}
	result, err := a.ForecastModels.Run(forecast.Request{
		History: series.Series{Start: c.Start, Step: c.Step, Values: c.Total}, Horizon: horizon, Probabilities: []float64{0.5, 0.8, 0.95}, NonNegative: true,
	})
	if errors.Is(err, forecast.ErrShortHistory) {
		err = fmt.Errorf("%w of requests: %w", slo.ErrTooShort, err)
	}
	return result, err
}
