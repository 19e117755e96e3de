package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// explainEmpty tells why a side has no traces: a service or version that the
// whole window does not know or, as where no service was named, simply no
// traffic (nil).
func (e *Engine) explainEmpty(ctx context.Context, filter upstream.TraceFilter, window Window) error {
	if filter.Service == "" {
		return nil
	}
	services, err := e.Traces.Services(ctx, window.From, window.To)
	if err != nil {
		return err
	}
	period := fmt.Sprintf("between %s and %s", clock(window.From), clock(window.To))
	if !slices.Contains(services, filter.Service) {
		return &NotFoundError{fmt.Sprintf("service %q sent no spans %s; services that did: %s", filter.Service, period, list(services))}
	}
	if filter.Version != "" {
		versions, err := e.Traces.Versions(ctx, filter.Service, window.From, window.To)
		if err != nil {
			return err
		}
		if !slices.Contains(versions, filter.Version) {
			return &NotFoundError{fmt.Sprintf("version %q of %s was not seen %s; versions seen: %s", filter.Version, filter.Service, period, list(versions))}
		}
	}
	return nil
}

// list names a few things in a sentence.
func list(names []string) string {
	const most = 12
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
