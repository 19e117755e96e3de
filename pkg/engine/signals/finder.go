package signals

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// Kinds are the kinds of signals that a service can be asked for by name.
var Kinds = []string{Traffic, Latency, Errors, Saturation, dependency, Demand, Business}

// Signal is one measured signal of a service.
type Signal struct {
	Kind, Name   string
	Expr         string // PromQL of one series
	Direction    anomaly.Direction
	MinDeviation float64
}

// Signal finds where a service's signal of one kind is measured: by the presets
// that a composite uses, in their order of preference.
func (e Finder) Signal(ctx context.Context, service, kind string, window core.Window) (Signal, error) {
	if e.Metrics == nil {
		return Signal{}, core.ErrNoMetrics
	}
	if !slices.Contains(Kinds, kind) {
		return Signal{}, core.UserErrorf("signal %.40q is unknown: choose one of %s", kind, strings.Join(Kinds, ", "))
	}
	from, to := core.Hourly(window)
	presets, err := e.Presets(ctx, service, from, to)
	if err != nil {
		return Signal{}, err
	}
	for _, p := range presets {
		if p.Kind == kind {
			window, err := e.RateWindow(ctx, service, p, e.Present(window))
			return Signal{kind, p.Name, p.Expr(service, window), p.Direction, p.MinDeviation}, err
		}
	}
	return Signal{}, core.NotFoundErrorf("service %q has no %s metric under a well-known name between %s and %s",
		service, kind, core.FormatTime(from), core.FormatTime(to))
}

// Services are the services that have a metric under a well-known name inside
// the window, or that OpenTelemetry reports as the job of a target_info.
func (e Finder) Services(ctx context.Context, window core.Window) ([]string, error) {
	if e.Metrics == nil {
		return nil, core.ErrNoMetrics
	}
	from, to := core.Hourly(window)
	found := make([][]string, len(wellknown.ServiceLabels)+1)
	group, ctx := parallel.WithContext(ctx)
	for i, label := range wellknown.ServiceLabels {
		group.Go(func() (err error) {
			found[i], _, err = e.Metrics.LabelValues(ctx, label, []string{"{" + presetMetrics() + "}"}, from, to)
			return err
		})
	}
	group.Go(func() error {
		jobs, _, err := e.Metrics.LabelValues(ctx, "job", []string{"target_info"}, from, to)
		for _, job := range jobs {
			found[len(wellknown.ServiceLabels)] = append(found[len(wellknown.ServiceLabels)], job[strings.LastIndexByte(job, '/')+1:])
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	names := slices.Concat(found...)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// presetMetrics matches the metrics that presets read.
func presetMetrics() string {
	var names []string
	for _, p := range presets {
		names = append(names, p.metric)
	}
	slices.Sort(names)
	return `__name__=~"` + strings.Join(slices.Compact(names), "|") + `"`
}

// ScrapeIntervals are how often the metrics of presets are scraped.
func (e Finder) ScrapeIntervals(ctx context.Context, service string, presets []BoundPreset, at time.Time) ([]time.Duration, error) {
	exprs := make([]string, len(presets))
	for i, p := range presets {
		exprs[i] = p.Expr(service, time.Minute)
	}
	return e.Sources.ScrapeIntervals(ctx, exprs, at)
}

// RateWindow is the least window of the rates that a preset reads.
func (e Finder) RateWindow(ctx context.Context, service string, p BoundPreset, at time.Time) (time.Duration, error) {
	scrapes, err := e.ScrapeIntervals(ctx, service, []BoundPreset{p}, at)
	return core.RateWindow(scrapes[0]), err
}
