package byservice

import (
	"context"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// recently is how far back the probe looks for a trace, and probed the number
	// of services that it asks about.
	recently = time.Hour
	probed   = 5
)

// Probe implements upstream.Traces. The server does not report its version.
func (c *Client) Probe(ctx context.Context) (upstream.TraceCapabilities, error) {
	ctx, cancel := c.Deadline(ctx)
	defer cancel()
	now := c.now()
	found := upstream.TraceCapabilities{
		Product: c.Name(), MetricsMessage: c.Name() + " has no TraceQL; deploys and counts come from samples of traces", Freshness: -1,
	}
	services, err := c.Services(ctx, now.Add(-recently), now)
	if err != nil {
		return upstream.TraceCapabilities{}, err
	}
	newest := time.Time{}
	for _, service := range services[:min(len(services), probed)] {
		// Stores say nothing of the order in which they find: look at the last
		// minute first.
		for _, back := range []time.Duration{time.Minute, recently} {
			sample, err := c.searchOne(ctx, upstream.TraceFilter{Service: service, Start: now.Add(-back), End: now, Limit: 20})
			if err != nil {
				return upstream.TraceCapabilities{}, err
			}
			for i := range sample.traces {
				if start := sample.traces[i].Start(); start.After(newest) {
					newest = start
				}
			}
			if len(sample.traces) > 0 {
				break
			}
		}
	}
	if !newest.IsZero() {
		found.Freshness = max(now.Sub(newest), 0)
	}
	return found, nil
}
