package metrics

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// ofResources is the question about a service as one about the series of its
// resources, each as a share of its limit.
func (e Evaluator) ofResources(ctx context.Context, q query.Breach, window core.Window, basis *core.Provenance) (query.Breach, error) {
	for _, name := range q.Resources {
		if err := query.CheckKnown("resources", name, wellknown.Resources); err != nil {
			return q, &core.UserError{Message: err.Error()}
		}
	}
	from, to := core.Hourly(window)
	found, err := e.Signals.Pressures(ctx, q.Service, from, to)
	if err != nil {
		return q, err
	}
	if len(q.Resources) > 0 {
		found = slices.DeleteFunc(found, func(p signals.Pressure) bool { return !slices.Contains(q.Resources, p.Resource) })
	}
	if len(found) == 0 {
		return q, core.NotFoundErrorf("no resource of service %q has a well-known metric of its use and its limit between %s and %s: looked for %s",
			q.Service, core.FormatTime(from), core.FormatTime(to), core.List(resourcesOf(q)))
	}
	scrapes, err := e.ScrapeIntervals(ctx, []string{signals.PressureExpr(found, time.Minute)}, e.Present(window))
	if err != nil {
		return q, err
	}
	q.Expr = signals.PressureExpr(found, core.RateWindow(slices.Max(append(scrapes, 0))))
	if q.Threshold == nil {
		limit := 1.0
		q.Threshold = &limit
	}
	var limits []string
	for _, p := range found {
		limits = append(limits, fmt.Sprintf("%s at %g", p.Resource, p.Limit))
	}
	basis.SetParameter("limits", strings.Join(limits, ", "))
	return q, nil
}

func resourcesOf(q query.Breach) []string {
	if len(q.Resources) > 0 {
		return q.Resources
	}
	return wellknown.Resources
}
