// Package journeys answers how users get through the journeys that an
// administrator, or a query, describes.
package journeys

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/metrics"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/journey"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Setting is a journey of the settings.
type Setting struct {
	Name  string
	Steps []query.JourneyStep
}

// Analyst looks at journeys.
type Analyst struct {
	core.Sources
	Settings []Setting
	// Models and ForecastModels are caches of what histories taught; nil for none.
	Models         *anomaly.Models
	ForecastModels *metrics.ForecastModels
	Deploys        deploys.Detector
	Comparer       traces.Comparer
}

// Answer is the journeys of a window.
type Answer struct {
	core.Provenance
	// Shown is the resolution that a panel can show; 0 for any.
	Shown     time.Duration
	Threshold float64
	Journeys  []Journey
}

// Journey is one journey inside the window. Numbers that are not known are NaN.
type Journey struct {
	Name string
	// Whole sums up the window: completions per minute, and means of the others.
	Completions, Conversion, Success, Latency float64
	// State is 1 while the journey is abnormal, 0 while it is not.
	State  float64
	Result anomaly.CompositeResult
	// Completed is the completions over time inside their expected range, which
	// goes on with Forecast.
	Completed anomaly.Result
	Forecast  forecast.Result
	Steps     []Step
	Losses    []journey.Loss
	// Cause is the service to which the largest loss was traced, and Why the
	// reasons; empty where nothing was found.
	Cause string
	Why   []string
	// Deploy is the newest of the steps' services inside the window; nil for none.
	Deploy *deploys.Deploy
	// Problem is why the journey cannot be judged; empty for none.
	Problem string
}

// Step is one step of a journey.
type Step struct {
	query.JourneyStep
	Now, Usual journey.Stats
	// Before and After are around the journey's deploy; zero where it has none.
	Before, After journey.Stats
	P95           float64 // latency in seconds
	Lost          float64 // users per minute beyond the usual
	Problem       string  // that it never occurs, or cannot be counted
}

const (
	// maxTogether is how many journeys are looked at at once, of maxJourneys.
	maxTogether, maxJourneys = 4, 50
	// stretch is the part of the past that is compared with the window.
	stretch = time.Hour
	// rest is how many points an abnormal journey must be quiet, and release the
	// part of the threshold that it must be below.
	rest, release = 5, 2.0 / 3
)

// Names lists the journeys in the settings.
func (e Analyst) Names() core.NamesAnswer {
	var answer core.NamesAnswer
	for _, s := range e.Settings {
		answer.Names = append(answer.Names, s.Name)
	}
	slices.Sort(answer.Names)
	return answer
}

// Journeys answers how users get through journeys. brief leaves out what a rule
// does not read: traces, deploys, causes and forecasts.
func (e Analyst) Journeys(ctx context.Context, q query.Journey, window core.Window, brief bool) (Answer, error) {
	answer := Answer{Shown: window.Step, Threshold: q.Threshold}
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	if q.Journey == "" && len(e.Settings) == 0 {
		// The rule and the dashboard that come with the plugin are empty until there
		// is a journey.
		answer.AddNotice(noJourneys)
		return answer, nil
	}
	chosen, err := e.chosen(q)
	if err != nil {
		return answer, err
	}
	answer.Journeys = make([]Journey, len(chosen))
	bases := make([]core.Provenance, len(chosen))
	budget := newBudget(e.Limits.MaxTraces)
	group, groupContext := parallel.WithContext(ctx)
	group.SetLimit(maxTogether)
	for i, s := range chosen {
		group.Go(func() (err error) {
			answer.Journeys[i], err = e.judge(groupContext, s, q, window, brief, budget, &bases[i])
			return err
		})
	}
	err = group.Wait()
	for _, basis := range bases {
		answer.Merge(basis)
	}
	answer.SetParameter("threshold", q.Threshold)
	return answer, err
}

const noJourneys = "no journeys are configured: describe them in Foresight's settings (journeys), or write steps into the query"

// chosen are the journeys that a query is about.
func (e Analyst) chosen(q query.Journey) ([]Setting, error) {
	if len(q.Steps) > 0 {
		return []Setting{{q.Journey, q.Steps}}, nil
	}
	if len(e.Settings) == 0 {
		return nil, core.UserErrorf(noJourneys)
	}
	if q.Journey == "" {
		if len(e.Settings) > maxJourneys {
			return nil, core.UserErrorf("%d journeys are too many for one query; at most %d are answered at once: name some", len(e.Settings), maxJourneys)
		}
		return e.Settings, nil
	}
	for _, s := range e.Settings {
		if s.Name == q.Journey {
			return []Setting{s}, nil
		}
	}
	return nil, core.NotFoundErrorf("there is no journey %q in the settings; those there are: %s", q.Journey, core.List(e.Names().Names))
}

// judge looks at one journey.
func (e Analyst) judge(ctx context.Context, s Setting, q query.Journey, window core.Window, brief bool, budget *budget, basis *core.Provenance) (Journey, error) {
	j := Journey{Name: s.Name}
	for _, step := range s.Steps {
		j.Steps = append(j.Steps, Step{JourneyStep: step, Now: unknown, Usual: unknown, Before: unknown, After: unknown, P95: unknown.Latency, Lost: unknown.Requests})
	}
	j.Completions, j.Conversion, j.Success, j.Latency, j.State = unknown.Requests, unknown.Passed, unknown.Success, unknown.Latency, unknown.Requests
	counted, err := e.count(ctx, &j, q, window, brief, basis)
	if err != nil {
		return j, fmt.Errorf("%s: %w", s.Name, err)
	}
	if !brief {
		if err := e.countTraces(ctx, &j, window, budget, basis); err != nil {
			return j, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	if counted == nil {
		return j, nil
	}
	if err := core.Compute(ctx, func() { e.assess(&j, counted, q, brief) }); err != nil || brief {
		return j, err
	}
	if err := e.compareDeploy(ctx, &j, counted, window, basis); err != nil {
		return j, err
	}
	return j, e.findCause(ctx, &j, window, basis)
}

// assess computes all that follows from the counts.
func (e Analyst) assess(j *Journey, c *counts, q query.Journey, brief bool) {
	from, end := c.from, c.points()
	now, usual := journey.Over(c.steps, from, end), journey.Learn(c.steps, from, max(1, int(stretch/c.grid.Step)))
	for i := range j.Steps {
		if j.Steps[i].TraceQL == "" {
			j.Steps[i].Now, j.Steps[i].Usual = now[i], usual[i].Middle
		}
	}
	whole := journey.Together(c.steps)
	if len(whole.Completions) == 0 {
		j.Problem = "none of its steps occurs"
		return
	}
	j.Completions, j.Conversion = mean(whole.Completions[from:]), mean(whole.Conversion[from:])
	j.Success, j.Latency = mean(whole.Success[from:]), mean(whole.Latency[from:])
	j.Losses = journey.Losses(c.steps, now, usual, c.grid.To.Sub(c.grid.From).Minutes())
	for _, loss := range j.Losses {
		step := &j.Steps[loss.Step]
		if math.IsNaN(step.Lost) {
			step.Lost = 0
		}
		step.Lost += loss.Users
	}
	line := func(values []float64) series.Series {
		return series.Series{Start: c.grid.Start, Step: c.grid.Step, Values: values}
	}
	result, err := anomaly.Composite(anomaly.CompositeRequest{
		Signals: []anomaly.Signal{
			{Name: "completions", Weight: 1, History: line(whole.Completions), Direction: anomaly.Below},
			{Name: "conversion", Weight: 1, History: line(whole.Conversion), Direction: anomaly.Below, MinDeviation: minConversion},
			{Name: "success", Weight: 1, History: line(whole.Success), Direction: anomaly.Below, MinDeviation: minSuccess},
			{Name: "latency", Weight: 1, History: line(whole.Latency), Direction: anomaly.Above, MinDeviation: minLatency},
		},
		From: c.grid.From, Past: time.Duration(q.History), Threshold: q.Threshold, Models: e.Models,
	})
	j.Result, j.Problem = result, core.Problem(err)
	if err == nil {
		j.Completed = result.Signals[0].Result
		j.State = journey.State(result.Score, q.Threshold, release*q.Threshold, rest)
	}
	if brief {
		return
	}
	horizon := max(int(c.grid.To.Sub(c.grid.From)/4/c.grid.Step), 10)
	if j.Forecast, err = e.ForecastModels.Run(forecast.Request{
		History: line(whole.Completions), Horizon: horizon, Probabilities: []float64{query.DefaultForecastProbability}, NonNegative: true,
	}); err != nil && j.Problem == "" {
		j.Problem = "no forecast: " + err.Error()
	}
}

// The smallest deviations of a journey that count: shares, and seconds.
const minConversion, minSuccess, minLatency = 0.02, 0.005, 0.02
