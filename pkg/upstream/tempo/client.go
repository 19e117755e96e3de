// Package tempo asks Grafana Tempo over HTTP.
package tempo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// Name is how messages call the upstream.
const Name = "Tempo"

// What Tempo can answer with.
const (
	asJSON     = "application/json"
	asProtobuf = "application/protobuf"
)

// Client implements upstream.Traces.
type Client struct {
	transport *transport.Client
	// TraceQL metrics are a part of Tempo that may be switched off. That must
	// not look like a failure of the rest.
	metrics *transport.Client
	now     func() time.Time
}

var _ upstream.Traces = (*Client)(nil)

// New makes a client. The clock is asked by Probe only.
func New(config transport.Config, limits transport.Limits, now func() time.Time) (*Client, error) {
	connection, err := transport.New(Name, config, limits)
	if err != nil {
		return nil, err
	}
	connection.Probe("/api/echo")
	connection.ChargeDecoded(transport.JSONSize)
	return &Client{transport: connection, metrics: connection.WithOwnBreaker(), now: now}, nil
}

// Name is how messages call the upstream.
func (c *Client) Name() string { return Name }

// Close drops idle connections.
func (c *Client) Close() { c.transport.Close() }

// get asks an endpoint. Parameters come in pairs; those without a value are
// left out.
func get(ctx context.Context, via *transport.Client, accept, endpoint string, parameters ...string) ([]byte, http.Header, error) {
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		switch {
		case parameters[i+1] == "":
		case parameters[i] == "q":
			query.Set("q", padded(parameters[i+1]))
		default:
			query.Set(parameters[i], parameters[i+1])
		}
	}
	address := via.URL(endpoint, nil)
	address.RawQuery = query.Encode()
	return via.Get(ctx, address, accept)
}

// seconds is an instant as Tempo reads it, rounded down; empty for none.
func seconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// secondsUp is an instant as Tempo reads it, rounded up; empty for none.
func secondsUp(t time.Time) string {
	if t.Nanosecond() > 0 {
		t = t.Add(time.Second)
	}
	return seconds(t)
}

func (c *Client) malformed(err error) *upstream.Error {
	var known *upstream.Error
	if errors.As(err, &known) {
		return known
	}
	return &upstream.Error{
		Upstream: Name, Category: upstream.Malformed, Message: c.transport.Clean(err.Error(), upstream.MaxMessage), Err: err,
		Advice: "Check that the url is that of Tempo's query frontend",
	}
}

func rejected(format string, args ...any) *upstream.Error {
	return &upstream.Error{Upstream: Name, Category: upstream.Rejected, Message: fmt.Sprintf(format, args...)}
}
