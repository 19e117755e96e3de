package byservice

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

const (
	// maxTraces bounds a sample.
	maxTraces = 10_000
	// perSlice is the least number of traces for which the time range is split.
	perSlice, maxSlices = 50, 8
	// maxServices bounds how many services are searched where none is named.
	maxServices = 20
	// firstLook is how many traces tell whether requests begin in a service.
	firstLook = 20
)

// Search implements upstream.Traces. The time range is searched in slices, so
// that a sample is not all from its end.
func (c *Client) Search(ctx context.Context, filter upstream.TraceFilter) (upstream.TraceSet, error) {
	switch {
	case filter.TraceQL != "":
		return upstream.TraceSet{}, c.rejected("Select by service, operation, version and time instead", "it knows no TraceQL")
	case !filter.Start.Before(filter.End):
		return upstream.TraceSet{}, c.rejected("", "the time range is empty")
	case filter.Limit <= 0:
		return upstream.TraceSet{}, c.rejected("", "the limit of traces must be positive")
	}
	filter.Limit = min(filter.Limit, maxTraces)
	ctx, cancel := c.Deadline(ctx)
	defer cancel()
	services, set := []string{filter.Service}, upstream.TraceSet{}
	if filter.Service == "" {
		var err error
		if services, set.Warnings, err = c.entries(ctx, filter); err != nil {
			return set, err
		}
	}
	share := filter
	share.Limit = (filter.Limit + len(services) - 1) / max(1, len(services))
	var parts []upstream.TraceFilter
	for _, service := range services {
		for _, slice := range slicesOf(share) {
			slice.Service = service
			parts = append(parts, slice)
		}
		set.Queries = append(set.Queries, c.describe(service, filter))
	}
	set.Filter = strings.Join(set.Queries, "\n")
	return c.searchAll(ctx, parts, filter.Limit, set)
}

// entries are the services in which requests begin. Where no service is asked
// for, traces are searched by them: searched by all services, those that touch
// many would be found many times as often.
func (c *Client) entries(ctx context.Context, filter upstream.TraceFilter) (entries, warnings []string, err error) {
	services, err := c.Services(ctx, filter.Start, filter.End)
	if err != nil {
		return nil, nil, err
	}
	if len(services) > maxServices {
		warnings = append(warnings, fmt.Sprintf("%s is searched by service: traces of the first %d of %d services were looked at.", c.Name(), maxServices, len(services)))
		services = services[:maxServices]
	}
	var looks []upstream.TraceFilter
	for _, service := range services {
		look := filter
		look.Service, look.Limit = service, min(filter.Limit, firstLook)
		looks = append(looks, look)
	}
	found, err := c.ask(ctx, looks)
	if err != nil {
		return nil, nil, err
	}
	for i := range found {
		if slices.ContainsFunc(found[i].traces, func(t trace.Trace) bool { return beginsIn(&t, services[i]) }) {
			entries = append(entries, services[i])
		}
	}
	if len(entries) > 1 {
		warnings = append(warnings, c.Name()+" is searched by service: as many traces were looked for of each service in which requests begin, however many each has.")
	}
	return entries, warnings, nil
}

func beginsIn(t *trace.Trace, service string) bool {
	return slices.ContainsFunc(t.Spans, func(s trace.Span) bool { return s.ParentID == trace.SpanID{} && s.Service == service })
}

// ask searches all parts at once.
func (c *Client) ask(ctx context.Context, parts []upstream.TraceFilter) ([]answer, error) {
	found := make([]answer, len(parts))
	group, ctx := parallel.WithContext(ctx)
	for i, part := range parts {
		group.Go(func() (err error) { found[i], err = c.searchOne(ctx, part); return err })
	}
	return found, group.Wait()
}

// askAgain gives what quiet parts leave of the limit to the busy ones, once.
func (c *Client) askAgain(ctx context.Context, parts []upstream.TraceFilter, found []answer, limit int) error {
	left := limit
	var places []int
	for i := range found {
		left -= len(found[i].traces)
		if len(found[i].traces) >= parts[i].Limit {
			places = append(places, i)
		}
	}
	if len(parts) == 1 || len(places) == 0 || left <= limit/10 {
		return nil
	}
	var busy []upstream.TraceFilter
	for _, i := range places {
		parts[i].Limit += left / len(places)
		busy = append(busy, parts[i])
	}
	more, err := c.ask(ctx, busy)
	for j, i := range places {
		if err == nil {
			found[i] = more[j]
		}
	}
	return err
}

// searchAll searches all parts and puts together what they found.
func (c *Client) searchAll(ctx context.Context, parts []upstream.TraceFilter, limit int, set upstream.TraceSet) (upstream.TraceSet, error) {
	found, err := c.ask(ctx, parts)
	if err == nil {
		err = c.askAgain(ctx, parts, found, limit)
	}
	if err != nil {
		return upstream.TraceSet{}, err
	}
	places := map[trace.TraceID]int{}
	for i, part := range found {
		set.Truncated = set.Truncated || len(part.traces) >= parts[i].Limit
		for _, warning := range part.warnings {
			if !slices.Contains(set.Warnings, warning) {
				set.Warnings = append(set.Warnings, warning)
			}
		}
		for _, t := range part.traces {
			if _, seen := places[t.ID]; !seen {
				places[t.ID] = len(set.Traces)
				set.Traces = append(set.Traces, t)
			}
		}
	}
	starts := map[trace.TraceID]int64{}
	for i := range set.Traces {
		starts[set.Traces[i].ID] = set.Traces[i].Start().UnixNano()
	}
	slices.SortFunc(set.Traces, func(a, b trace.Trace) int {
		return cmp.Or(cmp.Compare(starts[b.ID], starts[a.ID]), bytes.Compare(a.ID[:], b.ID[:]))
	})
	if len(set.Traces) > limit {
		set.Traces, set.Truncated = set.Traces[:limit], true
	}
	upstream.Count(ctx, c.Name(), upstream.WorkOf(set.Traces))
	return set, nil
}

// answer is what one search found.
type answer struct {
	traces   []trace.Trace
	warnings []string
}

// slicesOf splits the time range of a large sample.
func slicesOf(filter upstream.TraceFilter) []upstream.TraceFilter {
	count := min(filter.Limit/perSlice, maxSlices, int(filter.End.Sub(filter.Start)/(2*time.Second)))
	count = max(count, 1)
	length := filter.End.Sub(filter.Start) / time.Duration(count)
	all := make([]upstream.TraceFilter, count)
	for i := range all {
		all[i] = filter
		all[i].Limit = (filter.Limit + count - 1) / count
		all[i].Start = filter.Start.Add(time.Duration(i) * length)
		if i < count-1 {
			all[i].End = all[i].Start.Add(length - time.Microsecond) // both ends count in
		}
	}
	return all
}

// describe is a search as the store's user interface has it.
func (c *Client) describe(service string, filter upstream.TraceFilter) string {
	text := "service=" + service
	if filter.Operation != "" {
		text += " operation=" + filter.Operation
	}
	if filter.Version != "" {
		text += " tags=service.version=" + filter.Version
	}
	return text
}
