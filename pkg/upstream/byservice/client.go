// Package byservice is a client of trace stores that are searched by service, and
// neither count spans nor sample evenly: Jaeger and Zipkin.
package byservice

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Protocol is how one of the stores is asked.
type Protocol interface {
	// Name is how messages call the store.
	Name() string
	Services(ctx context.Context) ([]string, error)
	// Operations are the names of a service's spans; none of one that is unknown.
	Operations(ctx context.Context, service string) ([]string, error)
	// Search finds whole traces with a span of the service, in the window. The store
	// may match loosely. Unreadable is how many traces had no id.
	Search(ctx context.Context, filter upstream.TraceFilter) (traces []trace.Trace, unreadable int, warnings []string, err error)
	// Trace is one by its id; without spans where the store has none.
	Trace(ctx context.Context, id trace.TraceID) (trace.Trace, error)
	// Deadline bounds the work for one question.
	Deadline(ctx context.Context) (context.Context, context.CancelFunc)
	Close()
}

// Client asks one store.
type Client struct {
	Protocol
	now func() time.Time
}

var _ upstream.Traces = (*Client)(nil)

// New makes a client. The clock is asked by Probe only.
func New(protocol Protocol, now func() time.Time) *Client { return &Client{protocol, now} }

// rejected is an error of a question that the store cannot answer.
func (c *Client) rejected(advice, format string, args ...any) *upstream.Error {
	return &upstream.Error{Upstream: c.Name(), Category: upstream.Rejected, Message: fmt.Sprintf(format, args...), Advice: advice}
}

// matches says that a trace holds a span as it was asked for.
func matches(t *trace.Trace, filter upstream.TraceFilter) bool {
	return slices.ContainsFunc(t.Spans, func(s trace.Span) bool {
		return (filter.Service == "" || s.Service == filter.Service) &&
			(filter.Version == "" || s.Version == filter.Version) &&
			(filter.Operation == "" || s.Name == filter.Operation)
	})
}

// searchOne is one request. What stores match loosely (a tag on any span, times
// of the index) is checked again.
func (c *Client) searchOne(ctx context.Context, filter upstream.TraceFilter) (found answer, err error) {
	traces, unreadable, warnings, err := c.Protocol.Search(ctx, filter)
	if err != nil {
		return found, err
	}
	found.warnings = warnings
	for i := range traces {
		if matches(&traces[i], filter) {
			found.traces = append(found.traces, traces[i])
		}
	}
	if unreadable > 0 {
		found.warnings = append(found.warnings, fmt.Sprintf("%s: %d traces without a readable id were ignored.", c.Name(), unreadable))
	}
	return found, nil
}
