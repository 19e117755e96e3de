// Package prometheus asks servers that speak Prometheus' HTTP API.
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// Name is how messages call the upstream.
const Name = "Prometheus"

// Client implements upstream.Metrics.
type Client struct {
	transport *transport.Client
	api       v1.API
	now       func() time.Time
}

var _ upstream.Metrics = (*Client)(nil)

// New makes a client. The clock is asked by Probe only.
func New(config transport.Config, limits transport.Limits, now func() time.Time) (*Client, error) {
	connection, err := transport.New(Name, config, limits)
	if err != nil {
		return nil, err
	}
	connection.Probe("/api/v1/status/buildinfo")
	connection.ChargeDecoded(decodedSize)
	var asking api.Client = decoding{connection}
	if config.Method == http.MethodGet {
		asking = getOnly{asking}
	}
	return &Client{transport: connection, api: v1.NewAPI(asking), now: now}, nil
}

// getOnly refuses to post, after which Prometheus' client library asks by GET.
type getOnly struct{ api.Client }

func (g getOnly) Do(ctx context.Context, request *http.Request) (*http.Response, []byte, error) {
	if request.Method == http.MethodPost {
		return &http.Response{StatusCode: http.StatusMethodNotAllowed}, nil, nil
	}
	return g.Client.Do(ctx, request)
}

// Name is how messages call the upstream.
func (c *Client) Name() string { return Name }

// Close drops idle connections.
func (c *Client) Close() { c.transport.Close() }

// LabelValues implements upstream.Metrics.
func (c *Client) LabelValues(ctx context.Context, label string, selectors []string, start, end time.Time) ([]string, []string, error) {
	if !model.UTF8Validation.IsValidLabelName(label) {
		return nil, nil, rejected("%.60q is not the name of a label", label)
	}
	if !model.LegacyValidation.IsValidLabelName(label) {
		label = model.EscapeName(label, model.ValueEncodingEscaping)
	}
	ctx, held := budget.Part(ctx)
	defer held.Close()
	found, warnings, infos, err := c.api.LabelValues(ctx, label, selectors, start, end)
	if err != nil {
		return nil, nil, c.failure(err)
	}
	values := make([]string, len(found))
	for i, value := range found {
		values[i] = string(value)
	}
	slices.Sort(values)
	return slices.Compact(values), c.notes(warnings, infos), nil
}

// LabelNames implements upstream.Metrics.
func (c *Client) LabelNames(ctx context.Context, selectors []string, start, end time.Time) ([]string, error) {
	ctx, held := budget.Part(ctx)
	defer held.Close()
	found, _, _, err := c.api.LabelNames(ctx, selectors, start, end)
	if err != nil {
		return nil, c.failure(err)
	}
	names := make([]string, len(found))
	for i, name := range found {
		names[i] = string(name)
	}
	slices.Sort(names)
	return names, nil
}

// Describe implements upstream.Metrics. Where targets describe a metric in more
// than one way, the first is as good as another.
func (c *Client) Describe(ctx context.Context, metric string) (upstream.MetricDescription, error) {
	ctx, held := budget.Part(ctx)
	defer held.Close()
	found, err := c.api.Metadata(ctx, metric, "1")
	if err != nil {
		return upstream.MetricDescription{}, c.failure(err)
	}
	if len(found[metric]) == 0 {
		return upstream.MetricDescription{}, nil
	}
	return upstream.MetricDescription{Type: string(found[metric][0].Type), Help: found[metric][0].Help}, nil
}

// failure makes errors of Prometheus' client library ours. What the transport
// says passes unchanged.
func (c *Client) failure(err error) *upstream.Error {
	var known *upstream.Error
	if errors.As(err, &known) {
		return known
	}
	if refused := upstream.Refusal(Name, err); refused != nil {
		return refused
	}
	known = &upstream.Error{Upstream: Name, Category: upstream.Malformed, Message: c.transport.Clean(err.Error(), upstream.MaxMessage), Err: err}
	var answered *v1.Error
	if !errors.As(err, &answered) {
		return known
	}
	known.Message = c.transport.Clean(answered.Msg, upstream.MaxMessage)
	switch answered.Type {
	case v1.ErrBadData, v1.ErrExec, v1.ErrClient:
		known.Category = upstream.Rejected
	case v1.ErrTimeout, v1.ErrCanceled:
		known.Category = upstream.Overload
		known.Advice = "Ask for a shorter time range or a larger step"
	case v1.ErrServer:
		known.Category = upstream.Server
	default:
		known.Advice = "Check that the url is that of Prometheus' HTTP API"
	}
	return known
}

func rejected(format string, args ...any) *upstream.Error {
	return &upstream.Error{Upstream: Name, Category: upstream.Rejected, Message: fmt.Sprintf(format, args...)}
}

// maxNotes bounds how many remarks of the server are passed on.
const maxNotes = 10

// notes are the server's own warnings and remarks.
func (c *Client) notes(warnings v1.Warnings, infos v1.Infos) []string {
	var all []string
	for _, note := range slices.Concat([]string(warnings), []string(infos)) {
		note = Name + ": " + c.transport.Clean(note, upstream.MaxMessage)
		if len(all) < maxNotes && !slices.Contains(all, note) {
			all = append(all, note)
		}
	}
	return all
}
