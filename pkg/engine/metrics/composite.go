package metrics

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// CompositeAnswer is the health of one service.
type CompositeAnswer struct {
	core.Provenance
	Service string
	// Shown is the resolution that a panel can show; 0 for any.
	Shown  time.Duration
	Result anomaly.CompositeResult
	// Problem is why the service could not be judged; empty for no problem.
	Problem string
}

// Composite answers how unusual a service is inside the window, all its signals
// taken together.
func (e Evaluator) Composite(ctx context.Context, q query.Composite, window core.Window) (CompositeAnswer, error) {
	answer := CompositeAnswer{Service: q.Service, Shown: window.Step}
	if e.Metrics == nil {
		return answer, core.ErrNoMetrics
	}
	g := core.ScoringGrid(window, time.Duration(q.History), time.Duration(q.Step), anomaly.Reach, e.Now())
	presets, scrapes, err := e.bound(ctx, q, g)
	if err != nil {
		return answer, err
	}
	if scrape := Fastest(scrapes); scrape > 0 {
		window.Scrape = scrape
		g = core.ScoringGrid(window, time.Duration(q.History), time.Duration(q.Step), anomaly.Reach, e.Now())
	}
	found, err := e.signalsOf(ctx, q.Service, presets, scrapes, g)
	if err != nil {
		return answer, err
	}
	answer.SetParameter("step", g.Step.String())
	answer.SetParameter("threshold", q.Threshold)
	err = core.Compute(ctx, func() {
		signals := judged(found, g, &answer.Provenance)
		for i := range signals {
			signals[i].History.Start = signals[i].History.Start.In(q.Location())
		}
		if len(signals) == 0 {
			answer.Problem = "none of the service's metrics has samples in the window and enough before it to tell what is usual"
			return
		}
		result, err := anomaly.Composite(anomaly.CompositeRequest{
			Signals: signals, From: g.From, Past: time.Duration(q.History), Threshold: q.Threshold, Models: e.Models,
		})
		answer.Result, answer.Problem = result, core.Problem(err)
	})
	return answer, err
}

// Bound finds the signals of the service at the end of a window, and how often each
// is scraped; 0 where that is unknown.
func (e Evaluator) Bound(ctx context.Context, q query.Composite, window core.Window) ([]signals.BoundPreset, []time.Duration, error) {
	return e.bound(ctx, q, core.ScoringGrid(window, time.Duration(q.History), time.Duration(q.Step), anomaly.Reach, e.Now()))
}

func (e Evaluator) bound(ctx context.Context, q query.Composite, g core.Grid) ([]signals.BoundPreset, []time.Duration, error) {
	service := q.Service
	presets, err := e.Signals.Narrowed(q.Quantiles).Presets(ctx, service, g.From, g.To)
	if err != nil {
		return nil, nil, err
	}
	if len(presets) == 0 {
		return nil, nil, core.NotFoundErrorf(
			"no metrics of service %q under a well-known name between %s and %s: span metrics, OpenTelemetry's HTTP, RPC and database histograms, connection pools, process and container resources were looked for under the labels %s",
			service, core.FormatTime(g.From), core.FormatTime(g.To), core.List(wellknown.ServiceLabels))
	}
	scrapes, err := e.Signals.ScrapeIntervals(ctx, service, presets, g.To)
	return presets, scrapes, err
}

// Fastest is the shortest of the scrape intervals that are known; 0 for none.
func Fastest(scrapes []time.Duration) (least time.Duration) {
	for _, scrape := range scrapes {
		if scrape > 0 && (least == 0 || scrape < least) {
			least = scrape
		}
	}
	return least
}

// SignalExpr is the PromQL by which a composite reads a signal at a step.
func SignalExpr(p signals.BoundPreset, service string, scrape, step time.Duration) string {
	return p.Expr(service, max(core.RateWindow(scrape), 4*step))
}

// CompositeSignal is a preset with its history, to be judged together with others.
func CompositeSignal(p signals.BoundPreset, history series.Series) anomaly.Signal {
	return anomaly.Signal{Name: p.Name, Weight: p.Weight, History: history, Direction: p.Direction, MinDeviation: p.MinDeviation}
}

// MinTaught is how many samples before the window a signal must have.
const MinTaught = 20

// fetchedSignal is what was found of one preset.
type fetchedSignal struct {
	signals.BoundPreset
	series []core.RawSeries
	basis  core.Provenance
}

// signalsOf fetches the signals of a service.
func (e Evaluator) signalsOf(ctx context.Context, service string, presets []signals.BoundPreset, scrapes []time.Duration, g core.Grid) ([]fetchedSignal, error) {
	fetched := make([]fetchedSignal, len(presets))
	group, ctx := parallel.WithContext(ctx)
	for i, p := range presets {
		fetched[i].BoundPreset = p
		group.Go(func() (err error) {
			fetched[i].series, err = e.History(ctx, SignalExpr(p, service, scrapes[i], g.Step), g, &fetched[i].basis)
			return err
		})
	}
	return fetched, group.Wait()
}

// judged are the signals that can be judged. One that has no sample at all, or
// had hardly any and has none now, does not exist; one that is new is told of
// and left out.
func judged(found []fetchedSignal, g core.Grid, basis *core.Provenance) []anomaly.Signal {
	var signals []anomaly.Signal
	for _, f := range found {
		if len(f.series) == 0 {
			continue
		}
		h := f.series[0].Align() // the presets add up to one series
		before, inside := h.Between(h.Start, g.From).Observed(), h.Between(g.From, g.To.Add(g.Step)).Observed()
		switch {
		case before >= MinTaught:
			signals = append(signals, CompositeSignal(f.BoundPreset, h))
			basis.Queries = append(basis.Queries, f.basis.Queries...)
			basis.AddNotice(f.basis.Notices...)
			if len(f.series) > 1 {
				basis.AddNotice(fmt.Sprintf("%s: the query returned %d series, of which the first is judged; aggregate them, as by sum().", f.Name, len(f.series)))
			}
			if f.Unit != "" {
				basis.SetParameter("unit of "+f.Name, f.Unit)
			}
		case inside > 0:
			basis.AddRemark(fmt.Sprintf("%s: too new to be judged, with %d samples before the window.", f.Name, before))
		}
	}
	return signals
}
