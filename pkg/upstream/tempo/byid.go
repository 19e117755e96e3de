package tempo

import (
	"context"
	"fmt"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Fetch implements upstream.Traces. A fetch by id looks at traces that Tempo
// still holds in memory, which no search does, and is not cut off at
// query_end_cutoff.
func (c *Client) Fetch(ctx context.Context, ids []trace.TraceID, near time.Time) (upstream.TraceSet, error) {
	ctx, cancel := c.transport.Deadline(ctx)
	defer cancel()
	wanted := make([]found, 0, min(len(ids), maxFetched))
	which := make([]int, 0, cap(wanted))
	for i, id := range ids[:min(len(ids), maxFetched)] {
		wanted, which = append(wanted, found{Trace: trace.Trace{ID: id}, start: near.UnixNano()}), append(which, i)
	}
	failure := c.fetchAll(ctx, wanted, which)
	set := upstream.TraceSet{Queries: []string{fmt.Sprintf("%d traces by id", len(wanted))}, Truncated: len(ids) > len(wanted)}
	for i := range wanted {
		if len(wanted[i].Spans) > 0 {
			wanted[i].start = wanted[i].Start().UnixNano()
			set.Traces = append(set.Traces, wanted[i].Trace)
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
