package engine

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/query"
)

// CompositeAnswer is the health of one service.
type CompositeAnswer struct {
	Basis
	Service string
	// Shown is the resolution that a panel can show; 0 for any.
	Shown  time.Duration
	Result anomaly.CompositeResult
	// Problem is why the service could not be judged; empty for no problem.
	Problem string
}

// shortestRate is the least window of rates: several scrapes, so that one lost
// one is no event.
const shortestRate = 5 * time.Minute

// Composite answers how unusual a service is inside the window, all its signals
// taken together.
func (e *Engine) Composite(ctx context.Context, q query.Composite, window Window) (CompositeAnswer, error) {
	answer := CompositeAnswer{Service: q.Service, Shown: window.Step}
	if e.Metrics == nil {
		return answer, errNoMetrics
	}
	g := judgingGrid(window, time.Duration(q.History), time.Duration(q.Step), anomaly.Reach, e.Now())
	presets, err := e.presetsOf(ctx, q.Service, g.from, g.to)
	if err != nil {
		return answer, err
	}
	if len(presets) == 0 {
		return answer, &NotFoundError{fmt.Sprintf(
			"no metrics of service %q under a well-known name between %s and %s: span metrics, OpenTelemetry's HTTP, RPC and database histograms, connection pools, process and container resources were looked for under the labels %s",
			q.Service, clock(g.from), clock(g.to), list(serviceLabels))}
	}
	found, err := e.signalsOf(ctx, q.Service, presets, g)
	if err != nil {
		return answer, err
	}
	answer.parameter("step", g.step.String())
	answer.parameter("threshold", q.Threshold)
	err = compute(ctx, func() {
		signals := judged(found, g, &answer.Basis)
		if len(signals) == 0 {
			answer.Problem = "none of the service's metrics has samples in the window and enough before it to tell what is usual"
			return
		}
		result, err := anomaly.Composite(anomaly.CompositeRequest{
			Signals: signals, From: g.from, Past: time.Duration(q.History), Threshold: q.Threshold, Models: e.Models,
		})
		answer.Result, answer.Problem = result, problem(err)
	})
	return answer, err
}

// fewestTaught is how many samples before the window a signal must have.
const fewestTaught = 20

// fetchedSignal is what was found of one preset.
type fetchedSignal struct {
	foundPreset
	series []fetched
	basis  Basis
}

// signalsOf fetches the signals of a service.
func (e *Engine) signalsOf(ctx context.Context, service string, presets []foundPreset, g grid) ([]fetchedSignal, error) {
	signals := make([]fetchedSignal, len(presets))
	group, ctx := errgroup.WithContext(ctx)
	for i, p := range presets {
		signals[i].foundPreset = p
		group.Go(func() (err error) {
			signals[i].series, err = e.history(ctx, p.query(service, max(shortestRate, 4*g.step)), g, &signals[i].basis)
			return err
		})
	}
	return signals, group.Wait()
}

// judged are the signals that can be judged. One that has no sample at all, or
// had hardly any and has none now, does not exist; one that is new is told of
// and left out.
func judged(found []fetchedSignal, g grid, basis *Basis) []anomaly.Signal {
	var signals []anomaly.Signal
	for _, f := range found {
		if len(f.series) == 0 {
			continue
		}
		h := f.series[0].whole() // the presets add up to one series
		before, inside := h.Between(h.Start, g.from).Observed(), h.Between(g.from, g.to.Add(g.step)).Observed()
		switch {
		case before >= fewestTaught:
			signals = append(signals, anomaly.Signal{
				Name: f.name, Weight: f.weight, History: h, Direction: f.direction, MinDeviation: f.minDeviation,
			})
			basis.Queries = append(basis.Queries, f.basis.Queries...)
			basis.notice(f.basis.Notices...)
			if len(f.series) > 1 {
				basis.notice(fmt.Sprintf("%s: the query returned %d series, of which the first is judged; aggregate them, as by sum().", f.name, len(f.series)))
			}
			if f.unit != "" {
				basis.parameter("unit of "+f.name, f.unit)
			}
		case inside > 0:
			basis.notice(fmt.Sprintf("%s: too new to be judged, with %d samples before the window.", f.name, before))
		}
	}
	return signals
}
