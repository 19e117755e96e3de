package signals

import (
	"context"
	"strconv"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Preview is what one signal says of a service now.
type Preview struct {
	Kind, Name, Unit string
	// Template is its PromQL for any service, as a SignalSetting has it.
	Template string
	// Custom says that an administrator defined it.
	Custom bool
	// Recent is the signal inside the window; empty where it has no sample there.
	Recent series.Series
	// Problem is why it shows nothing, or not all; empty for no problem.
	Problem string
}

// Preview shows what each signal of a service finds inside the window,
// as if these were the signals of the settings. A signal that fails says so and
// leaves the others alone.
func (e Finder) Preview(ctx context.Context, service string, own []Setting, window core.Window) ([]Preview, error) {
	if e.Metrics == nil {
		return nil, core.ErrNoMetrics
	}
	edited := e
	edited.Custom = own
	from, to := core.Hourly(window)
	presets, err := edited.Presets(ctx, service, from, to)
	if err != nil {
		return nil, err
	}
	previews := make([]Preview, len(presets))
	var group parallel.Group
	for i, p := range presets {
		group.Go(func() error { previews[i] = e.preview(ctx, p, service, window); return ctx.Err() })
	}
	return previews, group.Wait()
}

// preview is what one signal finds.
func (e Finder) preview(ctx context.Context, p BoundPreset, service string, window core.Window) Preview {
	preview := Preview{Kind: p.Kind, Name: p.Name, Unit: p.Unit, Custom: p.Custom, Template: p.template()}
	rate, err := e.RateWindow(ctx, service, p, e.Present(window))
	if err != nil {
		preview.Problem = err.Error()
		return preview
	}
	found, err := e.Recent(ctx, p.Expr(service, rate), window)
	switch {
	case err != nil:
		preview.Problem = err.Error()
	case len(found.Series) == 0:
		preview.Problem = "there are no samples in this time"
	default:
		preview.Recent = found.Series[0]
		if more := len(found.Series) - 1; more > 0 {
			preview.Problem = "the query returned " + strconv.Itoa(more+1) + " series, of which the first is taken: aggregate them, as by sum()"
		}
	}
	return preview
}
