// Package zipkin asks Zipkin over its v2 API. As in Jaeger, traces are searched by
// service and nothing counts spans.
package zipkin

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/byservice"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// Name is how messages call the upstream.
const Name = "Zipkin"

// client implements byservice.Protocol.
type client struct{ transport *transport.Client }

// New makes a client. The clock is asked by Probe only.
func New(config transport.Config, limits transport.Limits, now func() time.Time) (*byservice.Client, error) {
	connection, err := transport.New(Name, config, limits)
	if err != nil {
		return nil, err
	}
	connection.Probe("/api/v2/services")
	connection.ChargeDecoded(transport.JSONSize)
	return byservice.New(&client{connection}, now), nil
}

func (c *client) Name() string { return Name }

// Close drops idle connections.
func (c *client) Close() { c.transport.Close() }

func (c *client) Deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return c.transport.Deadline(ctx)
}

// get asks an endpoint. Parameters come in pairs; those without a value are left
// out.
func get[Data any](ctx context.Context, c *client, path string, values map[string]string, parameters ...string) (data Data, err error) {
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			query.Set(parameters[i], parameters[i+1])
		}
	}
	address := c.transport.URL(path, values)
	address.RawQuery = query.Encode()
	body, _, err := c.transport.Get(ctx, address, "application/json")
	if err != nil {
		return data, err
	}
	err = c.transport.Decode(ctx, func() error { return json.Unmarshal(body, &data) })
	var known *upstream.Error
	if err != nil && !errors.As(err, &known) {
		err = &upstream.Error{
			Upstream: Name, Category: upstream.Malformed, Message: "the answer is not what Zipkin's API gives", Err: err,
			Advice: "Check that the url is that of Zipkin (port 9411 by default)",
		}
	}
	return data, err
}

// Services is one list for all time.
func (c *client) Services(ctx context.Context) ([]string, error) {
	return get[[]string](ctx, c, "/api/v2/services", nil)
}

// Operations is one list for all time.
func (c *client) Operations(ctx context.Context, service string) ([]string, error) {
	return get[[]string](ctx, c, "/api/v2/spans", nil, "serviceName", service)
}

// Search asks for the milliseconds up to the end of the window.
func (c *client) Search(ctx context.Context, filter upstream.TraceFilter) (traces []trace.Trace, unreadable int, warnings []string, err error) {
	annotation := ""
	if filter.Version != "" {
		annotation = "service.version=" + filter.Version
	}
	lookback := max(filter.End.Sub(filter.Start).Milliseconds(), 1)
	found, err := get[[][]spanJSON](ctx, c, "/api/v2/traces", nil,
		"serviceName", filter.Service, "spanName", filter.Operation, "annotationQuery", annotation,
		"endTs", strconv.FormatInt(filter.End.UnixMilli(), 10), "lookback", strconv.FormatInt(lookback, 10), "limit", strconv.Itoa(filter.Limit))
	if err != nil {
		return nil, 0, nil, err
	}
	shared := texts{}
	err = c.transport.Decode(ctx, func() error {
		for _, spans := range found {
			t, readable := shared.trace(spans)
			if !readable {
				unreadable++
				continue
			}
			traces = append(traces, t)
		}
		return nil
	})
	return traces, unreadable, nil, err
}

func (c *client) Trace(ctx context.Context, id trace.TraceID) (trace.Trace, error) {
	spans, err := get[[]spanJSON](ctx, c, "/api/v2/trace/:id", map[string]string{"id": id.String()})
	if err != nil {
		return trace.Trace{}, err
	}
	found, _ := texts{}.trace(spans)
	return found, nil
}
