package byservice

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// maxFetched is how many traces are fetched by id, and atOnce how many of them
// at the same time.
const maxFetched, atOnce = 500, 8

// Fetch implements upstream.Traces.
func (c *Client) Fetch(ctx context.Context, ids []trace.TraceID, _ time.Time) (upstream.TraceSet, error) {
	ctx, cancel := c.Deadline(ctx)
	defer cancel()
	wanted := ids[:min(len(ids), maxFetched)]
	traces := make([]trace.Trace, len(wanted))
	var mu sync.Mutex
	var failure error
	var group parallel.Group
	group.SetLimit(atOnce)
	for i, id := range wanted {
		group.Go(func() error {
			found, err := c.Trace(ctx, id)
			traces[i] = found
			if err != nil {
				mu.Lock()
				failure = err
				mu.Unlock()
			}
			return nil // one trace less is no reason to answer nothing
		})
	}
	_ = group.Wait()
	set := upstream.TraceSet{Queries: []string{fmt.Sprintf("%d traces by id", len(wanted))}, Truncated: len(ids) > len(wanted)}
	for i := range traces {
		if len(traces[i].Spans) > 0 {
			set.Traces = append(set.Traces, traces[i])
		}
	}
	if len(set.Traces) == 0 && failure != nil {
		return upstream.TraceSet{}, failure
	}
	if lost := len(wanted) - len(set.Traces); lost > 0 {
		set.Warnings = append(set.Warnings, fmt.Sprintf("%d of %d traces are not found by their ids (yet)", lost, len(wanted)))
	}
	return set, nil
}
