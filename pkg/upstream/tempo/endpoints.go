package tempo

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// A sample of a busy time is mostly of its most frequent requests. Those that
// are rarer are looked for by themselves, in one more search, so that they too
// can be judged.

const (
	// maxEndpoints bounds how many kinds of requests one search leaves out.
	maxEndpoints = 24
	// rareShare is the part of a sample that rarer requests may take.
	rareShare = 2
)

// endpoint is the kind of a request: the service and name of its first span.
type endpoint struct{ service, name string }

// endpointOf is the kind of a trace; empty where its first span is missing.
func endpointOf(t *trace.Trace) endpoint {
	for i := range t.Spans {
		if t.Spans[i].ParentID == (trace.SpanID{}) {
			return endpoint{t.Spans[i].Service, t.Spans[i].Name}
		}
	}
	return endpoint{}
}

// addRare looks for more traces of the kinds of requests of which a sample has
// too few, and takes them in the place of the most frequent ones. It returns
// what was asked for that, empty for nothing.
func (c *Client) addRare(ctx context.Context, filter upstream.TraceFilter, all *sampled) (query string) {
	counts := map[endpoint]int{}
	for i := range all.traces {
		counts[endpointOf(&all.traces[i].Trace)]++
	}
	delete(counts, endpoint{})
	var common []endpoint
	for kind, count := range counts {
		if count >= filter.PerEndpoint {
			common = append(common, kind)
		}
	}
	if !all.truncated || filter.PerEndpoint <= 0 || len(common) == 0 || len(common) > maxEndpoints {
		return ""
	}
	slices.SortFunc(common, func(a, b endpoint) int { return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name)) })
	query = wholeTraces(filter, otherThan(common)...)
	rarer := filter
	rarer.Limit = max(filter.Limit/rareShare, 1)
	parts, err := c.ask(ctx, query, slicesOf(rarer))
	if err != nil {
		return "" // the sample is right without them
	}
	known := map[trace.TraceID]bool{}
	for i := range all.traces {
		known[all.traces[i].ID] = true
	}
	for _, part := range parts {
		for _, f := range part.traces {
			kind := endpointOf(&f.Trace)
			if known[f.ID] || counts[kind] >= filter.PerEndpoint {
				continue
			}
			known[f.ID] = true
			counts[kind]++
			all.traces = append(all.traces, f)
		}
	}
	all.thin(filter.Limit)
	return query
}

// otherThan are the conditions of traces that are of none of the kinds.
func otherThan(kinds []endpoint) (conditions []string) {
	for _, kind := range kinds {
		conditions = append(conditions, "("+strings.Join([]string{
			condition("trace:rootService", "!=", kind.service), condition("trace:rootName", "!=", kind.name),
		}, " || ")+")")
	}
	return conditions
}

// thin drops traces of the most frequent kinds, evenly over their time, until no
// more than the limit are left.
func (s *sampled) thin(limit int) {
	newestFirst(s.traces)
	byKind := map[endpoint][]found{}
	for _, f := range s.traces {
		kind := endpointOf(&f.Trace)
		byKind[kind] = append(byKind[kind], f)
	}
	level := limit // how many of each kind stay at most
	for excess := 1; excess > 0 && level > 0; level-- {
		excess = -limit
		for _, traces := range byKind {
			excess += min(len(traces), level)
		}
		if excess <= 0 {
			break
		}
	}
	s.traces = s.traces[:0]
	for _, traces := range byKind {
		for i := range min(len(traces), level) {
			s.traces = append(s.traces, traces[i*len(traces)/min(len(traces), level)])
		}
	}
	newestFirst(s.traces)
}
