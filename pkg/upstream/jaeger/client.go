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

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// Name is how messages call the upstream.
const Name = "Jaeger"

// Client implements upstream.Traces.
type Client struct {
	transport *transport.Client
	now       func() time.Time
}

var _ upstream.Traces = (*Client)(nil)

// New makes a client. The clock is asked by Probe only.
func New(config transport.Config, limits transport.Limits, now func() time.Time) (*Client, error) {
	connection, err := transport.New(Name, config, limits)
	if err != nil {
		return nil, err
	}
	connection.Probe("/api/services")
	connection.ChargeDecoded(transport.JSONSize)
	return &Client{transport: connection, now: now}, nil
}

// Name is how messages call the upstream.
func (c *Client) Name() string { return Name }

// Close drops idle connections.
func (c *Client) Close() { c.transport.Close() }

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
func get[Data any](ctx context.Context, c *Client, address *url.URL, parameters ...string) (data Data, warnings []string, err error) {
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

func (c *Client) malformed(err error) *upstream.Error {
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
