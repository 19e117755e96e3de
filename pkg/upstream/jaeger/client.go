// Package jaeger asks Jaeger over the query API that its user interface uses
// (/api/services, /api/traces), which Jaeger 1 and Jaeger 2 both serve. It is
// searched by service: there is no TraceQL, nothing counts spans, and what a
// search leaves out is not told. So counts come from samples, and say so.
package jaeger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/byservice"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// Name is how messages call the upstream.
const Name = "Jaeger"

// client implements byservice.Protocol.
type client struct{ transport *transport.Client }

// New makes a client. The clock is asked by Probe only.
func New(config transport.Config, limits transport.Limits, now func() time.Time) (*byservice.Client, error) {
	connection, err := transport.New(Name, config, limits)
	if err != nil {
		return nil, err
	}
	connection.Probe("/api/services")
	connection.ChargeDecoded(transport.JSONSize)
	return byservice.New(&client{connection}, now), nil
}

func (c *client) Name() string { return Name }

// Close drops idle connections.
func (c *client) Close() { c.transport.Close() }

func (c *client) Deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return c.transport.Deadline(ctx)
}

// Services is one list for all time.
func (c *client) Services(ctx context.Context) ([]string, error) {
	names, _, err := get[[]string](ctx, c, c.transport.URL("/api/services", nil))
	return names, err
}

// Operations is one list for all time.
func (c *client) Operations(ctx context.Context, service string) ([]string, error) {
	if service == "." || service == ".." { // would be another path
		return nil, rejected("Name the service as its spans do", "%q is not the name of a service", service)
	}
	names, _, err := get[[]string](ctx, c, c.transport.URL("/api/services/:service/operations", map[string]string{"service": service}))
	if isMissing(err) {
		return nil, nil
	}
	return names, err
}

func (c *client) Search(ctx context.Context, filter upstream.TraceFilter) (traces []trace.Trace, unreadable int, warnings []string, err error) {
	tags := ""
	if filter.Version != "" {
		encoded, _ := json.Marshal(map[string]string{"service.version": filter.Version})
		tags = string(encoded)
	}
	data, warnings, err := get[[]traceJSON](ctx, c, c.transport.URL("/api/traces", nil),
		"service", filter.Service, "operation", filter.Operation, "tags", tags,
		"start", microseconds(filter.Start), "end", microseconds(filter.End), "limit", strconv.Itoa(filter.Limit))
	if err != nil {
		return nil, 0, nil, err
	}
	shared := texts{}
	err = c.transport.Decode(ctx, func() error {
		for _, one := range data {
			t, err := shared.trace(one)
			if err != nil {
				unreadable++
				continue
			}
			traces = append(traces, t)
		}
		return nil
	})
	return traces, unreadable, warnings, err
}

func (c *client) Trace(ctx context.Context, id trace.TraceID) (trace.Trace, error) {
	data, _, err := get[[]traceJSON](ctx, c, c.transport.URL("/api/traces/:id", map[string]string{"id": id.String()}))
	if err != nil || len(data) == 0 {
		return trace.Trace{}, err
	}
	return texts{}.trace(data[0])
}

// envelope is around every answer.
type envelope[Data any] struct {
	Data   Data
	Errors []struct {
		Code int
		Msg  string
	}
}

// get asks an endpoint and opens the envelope. Parameters come in pairs; those
// without a value are left out.
func get[Data any](ctx context.Context, c *client, address *url.URL, parameters ...string) (data Data, warnings []string, err error) {
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			query.Set(parameters[i], parameters[i+1])
		}
	}
	address.RawQuery = query.Encode()
	body, _, err := c.transport.Get(ctx, address, "application/json")
	if err != nil {
		return data, nil, err
	}
	var answer envelope[Data]
	if err := c.transport.Decode(ctx, func() error { return json.Unmarshal(body, &answer) }); err != nil {
		return data, nil, c.malformed(err)
	}
	for _, problem := range answer.Errors {
		warnings = append(warnings, "Jaeger: "+c.transport.Clean(problem.Msg, upstream.MaxMessage))
	}
	return answer.Data, warnings, nil
}

// microseconds is an instant as Jaeger reads it.
func microseconds(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

func (c *client) malformed(err error) *upstream.Error {
	var known *upstream.Error
	if errors.As(err, &known) {
		return known
	}
	return &upstream.Error{
		Upstream: Name, Category: upstream.Malformed, Message: c.transport.Clean(err.Error(), upstream.MaxMessage), Err: err,
		Advice: "Check that the url is that of Jaeger's query service (port 16686 by default)",
	}
}

func rejected(advice, format string, args ...any) *upstream.Error {
	return &upstream.Error{Upstream: Name, Category: upstream.Rejected, Message: fmt.Sprintf(format, args...), Advice: advice}
}

// isMissing says that the address answers, but has nothing there.
func isMissing(err error) bool {
	var known *upstream.Error
	return errors.As(err, &known) && known.Category == upstream.NotFound
}
