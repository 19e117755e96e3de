package traces

import (
	"context"
	"fmt"
	"slices"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// explainEmpty tells why a side has no traces: a service or version that the
// whole window does not know or, as where no service was named, simply no
// traffic (nil).
func (e Comparer) explainEmpty(ctx context.Context, filter upstream.TraceFilter, window core.Window) error {
	if filter.Service == "" {
		return nil
	}
	services, err := e.Traces.Services(ctx, window.From, window.To)
	if err != nil {
		return err
	}
	period := fmt.Sprintf("between %s and %s", core.FormatTime(window.From), core.FormatTime(window.To))
	if !slices.Contains(services, filter.Service) {
		return core.NotFoundErrorf("service %q sent no spans %s; services that did: %s", filter.Service, period, core.List(services))
	}
	if filter.Version != "" {
		versions, err := e.Traces.Versions(ctx, filter.Service, window.From, window.To)
		if err != nil {
			return err
		}
		if !slices.Contains(versions, filter.Version) {
			return core.NotFoundErrorf("version %q of %s was not seen %s; versions seen: %s", filter.Version, filter.Service, period, core.List(versions))
		}
	}
	return nil
}
