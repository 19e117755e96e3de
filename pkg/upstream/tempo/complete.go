package tempo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// A search is not always the whole truth about a trace. It returns at most a
// hundred spans; and as long as a trace has not been flushed into a block,
// spans that arrived more than a moment apart lie in separate parts, of which
// a search returns but one. A fetch by id returns all.

const (
	// maxFetched is how many traces of a sample are fetched by id.
	maxFetched = 500
	// atOnce is how many of them at the same time.
	atOnce = 8
	// witnesses is how many traces are always fetched, to learn which calls
	// have something below them.
	witnesses = 4
	// maxHeld is the most spans of a sample that are held.
	maxHeld = 1_000_000
)

// complete replaces traces that lack spans by the whole ones, newest first.
// What it could not complete is marked as partial.
func (c *Client) complete(ctx context.Context, traces []found) (warnings []string) {
	fetched := make([]bool, len(traces))
	count := 0
	fetch := func(wanted func(i int) bool) error {
		var which []int
		for i := range traces {
			if !fetched[i] && wanted(i) && count < maxFetched {
				which, fetched[i] = append(which, i), true
				count++
			}
		}
		return c.fetchAll(ctx, traces, which)
	}
	first := fetch(func(i int) bool { return i < witnesses || traces[i].cut() || orphaned(traces[i].Spans) })
	busy := callsWithChildren(traces)
	second := fetch(func(i int) bool { return childless(traces[i].Spans, busy) })

	lacking := 0
	for i := range traces {
		if !fetched[i] && (traces[i].cut() || orphaned(traces[i].Spans) || childless(traces[i].Spans, busy)) {
			traces[i].Partial = true
		}
		if traces[i].Partial {
			lacking++
		}
	}
	if lacking > 0 {
		warnings = append(warnings, fmt.Sprintf("%d of %d traces lack spans", lacking, len(traces)))
	}
	if err := errors.Join(first, second); err != nil {
		warnings = append(warnings, "not all traces could be completed: "+err.Error())
	}
	return warnings
}

// fetchAll replaces some traces by the whole ones. It returns the first
// failure; the traces that lack spans for it stay partial.
func (c *Client) fetchAll(ctx context.Context, traces []found, which []int) error {
	held := 0
	for i := range traces {
		held += len(traces[i].Spans)
	}
	var mu sync.Mutex
	var failures []error
	var group parallel.Group
	group.SetLimit(atOnce)
	for _, i := range which {
		group.Go(func() error {
			whole, err := c.fetch(ctx, traces[i])
			mu.Lock()
			defer mu.Unlock()
			more := len(whole.Spans) - len(traces[i].Spans)
			if err == nil && held+more > maxHeld {
				err = fmt.Errorf("the sample has more than %d spans", maxHeld)
			}
			if err != nil {
				failures = append(failures, err)
				traces[i].Partial = traces[i].cut() || orphaned(traces[i].Spans)
				return nil
			}
			held += more
			traces[i].Trace = whole
			return nil
		})
	}
	_ = group.Wait()
	if len(failures) == 0 {
		return nil
	}
	return failures[0]
}

// fetch fetches a trace by its id. The times spare Tempo a look into blocks of
// other days.
func (c *Client) fetch(ctx context.Context, f found) (trace.Trace, error) {
	const margin = time.Hour
	began := time.Unix(0, f.start)
	reading, held := budget.Part(ctx) // the answer's text, until it is decoded
	defer held.Close()
	body, _, err := get(reading, c.transport, asProtobuf, "/api/v2/traces/"+f.ID.String(),
		"start", seconds(began.Add(-margin)), "end", seconds(began.Add(margin)))
	if err != nil {
		return trace.Trace{}, err
	}
	var whole trace.Trace
	err = c.transport.Decode(reading, func() (err error) {
		whole, _, err = traceProtobuf(body)
		return err
	})
	if err != nil {
		return trace.Trace{}, c.malformed(err)
	}
	if len(whole.Spans) < max(len(f.Spans), 1) {
		return trace.Trace{}, &upstream.Error{Upstream: Name, Category: upstream.NotFound, Message: "the trace " + f.ID.String() + " is not found by its id, or not all of it"}
	}
	whole.ID = f.ID
	return whole, charge(ctx, found{Trace: whole})
}

// orphaned reports whether spans point to a parent that is not there.
func orphaned(spans []trace.Span) bool {
	ids := make(map[trace.SpanID]bool, len(spans))
	for i := range spans {
		ids[spans[i].ID] = true
	}
	for i := range spans {
		if parent := spans[i].ParentID; parent != (trace.SpanID{}) && !ids[parent] {
			return true
		}
	}
	return false
}

// call is what a span asks of another service.
type call struct{ service, name string }

// callsWithChildren are the calls below which at least one trace has spans.
func callsWithChildren(traces []found) map[call]bool {
	busy := map[call]bool{}
	for _, f := range traces {
		parents := parentsOf(f.Spans)
		for i := range f.Spans {
			if s := &f.Spans[i]; outgoing(s) && parents[s.ID] {
				busy[call{s.Service, s.Name}] = true
			}
		}
	}
	return busy
}

// childless reports whether there is nothing below a call that has spans below
// it in other traces.
func childless(spans []trace.Span, busy map[call]bool) bool {
	parents := parentsOf(spans)
	for i := range spans {
		if s := &spans[i]; outgoing(s) && !parents[s.ID] && busy[call{s.Service, s.Name}] {
			return true
		}
	}
	return false
}

func outgoing(s *trace.Span) bool { return s.Kind == trace.Client || s.Kind == trace.Producer }

func parentsOf(spans []trace.Span) map[trace.SpanID]bool {
	parents := make(map[trace.SpanID]bool, len(spans))
	for i := range spans {
		parents[spans[i].ParentID] = true
	}
	return parents
}
