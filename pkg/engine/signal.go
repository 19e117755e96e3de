package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/series"
)

// SignalKinds are the kinds of signals that a service can be asked for by name.
var SignalKinds = []string{traffic, latency, errorShare, saturation, dependency}

// Signal is one measured signal of a service.
type Signal struct {
	Kind, Name   string
	Expr         string // PromQL of one series
	Direction    anomaly.Direction
	MinDeviation float64
}

// Signal finds where a service's signal of one kind is measured: by the presets
// that a composite uses, in their order of preference.
func (e *Engine) Signal(ctx context.Context, service, kind string, window Window) (Signal, error) {
	if e.Metrics == nil {
		return Signal{}, errNoMetrics
	}
	if !slices.Contains(SignalKinds, kind) {
		return Signal{}, askersFault("signal %.40q is unknown: choose one of %s", kind, strings.Join(SignalKinds, ", "))
	}
	from, to := hourly(window)
	presets, err := e.presetsOf(ctx, service, from, to)
	if err != nil {
		return Signal{}, err
	}
	for _, p := range presets {
		if p.kind == kind {
			return Signal{kind, p.name, p.query(service, shortestRate), p.direction, p.minDeviation}, nil
		}
	}
	return Signal{}, &NotFoundError{fmt.Sprintf("service %q has no %s metric under a well-known name between %s and %s",
		service, kind, clock(from), clock(to))}
}

// MeasuredServices are the services that have a metric under a well-known name
// inside the window.
func (e *Engine) MeasuredServices(ctx context.Context, window Window) ([]string, error) {
	if e.Metrics == nil {
		return nil, errNoMetrics
	}
	from, to := hourly(window)
	found := make([][]string, len(serviceLabels))
	group, ctx := errgroup.WithContext(ctx)
	for i, label := range serviceLabels {
		group.Go(func() (err error) {
			found[i], _, err = e.Metrics.LabelValues(ctx, label, []string{"{" + presetMetrics() + "}"}, from, to)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	names := slices.Concat(found...)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// hourly widens a window to full hours, so that what exists is asked, and
// remembered, once for all the windows inside.
func hourly(window Window) (from, to time.Time) {
	return floor(window.From, time.Hour), floor(window.To, time.Hour).Add(time.Hour)
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

// RecentAnswer holds the observations of a window, without history.
type RecentAnswer struct {
	Basis
	Series []series.Series
}

// Recent answers with a metric as it was observed inside the window.
func (e *Engine) Recent(ctx context.Context, expr string, window Window) (RecentAnswer, error) {
	answer := RecentAnswer{}
	found, err := e.history(ctx, expr, gridFor(window, 0, 0, e.Now()), &answer.Basis)
	answer.Series = wholes(found)
	return answer, err
}
