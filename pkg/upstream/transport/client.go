package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"

	"github.com/foresight-observability/foresight/pkg/budget"
	"github.com/foresight-observability/foresight/pkg/telemetry"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Client asks one upstream. It implements the api.Client of Prometheus' client
// library. All its errors are of type *upstream.Error.
type Client struct {
	name    string
	base    *url.URL
	viaUID  string // of the data source, in the grafana mode
	limits  Limits
	http    *http.Client
	slots   *budget.Gate
	breaker *breaker
	redact  *strings.Replacer
	// parameters are added to every URL.
	parameters url.Values
	decoded    DecodedSize // nil for the size of the text alone
}

type answer struct {
	response *http.Response
	body     []byte
}

// New makes a client for the named upstream ("Prometheus", "Tempo"). The error
// says what is wrong with the configuration.
func New(name string, config Config, limits Limits) (*Client, error) {
	if err := config.Validate(name); err != nil {
		return nil, err
	}
	limits = limits.withDefaults()
	c := &Client{name: name, base: config.base(), limits: limits, parameters: config.Parameters,
		slots: budget.NewGate(limits.shares(name))}
	c.breaker = newBreaker(name, limits, c.probeWith("/"))
	if config.Mode == Grafana {
		c.viaUID = config.UID
	}
	c.redact = redaction(config.secrets())

	var err error
	if c.http, err = httpclient.New(c.options(config)); err != nil {
		return nil, &upstream.Error{Upstream: name, Category: upstream.Config, Message: c.Clean(err.Error(), upstream.MaxMessage), Err: err}
	}
	c.http.CheckRedirect = c.checkRedirect
	return c, nil
}

func (c *Client) options(config Config) httpclient.Options {
	timeouts := httpclient.DefaultTimeoutOptions
	// The deadline of the question ends first, and with a better message.
	timeouts.Timeout = c.limits.Timeout + time.Second
	timeouts.DialTimeout = min(timeouts.DialTimeout, c.limits.Timeout)
	timeouts.MaxIdleConnsPerHost = c.limits.Concurrency
	options := httpclient.Options{
		Timeouts:     &timeouts,
		Header:       config.header(),
		Labels:       config.Labels,
		ProxyOptions: config.Proxy,
		TLS: &httpclient.TLSOptions{
			CACertificate:      config.TLS.CA,
			ClientCertificate:  config.TLS.Certificate,
			ClientKey:          config.TLS.Key,
			InsecureSkipVerify: config.TLS.SkipVerify,
			ServerName:         config.TLS.ServerName,
		},
	}
	options.ConfigureTransport = func(_ httpclient.Options, transport *http.Transport) {
		dialer := &net.Dialer{Timeout: timeouts.DialTimeout, KeepAlive: timeouts.KeepAlive}
		transport.DialContext = upstream.Guard(dialer, upstream.NotMetadata).DialContext
	}
	if config.Mode == Direct && config.BasicUser != "" {
		options.BasicAuth = &httpclient.BasicAuthOptions{User: config.BasicUser, Password: config.BasicPassword}
	}
	return options
}

// checkRedirect stays below the address that the credentials were meant for: a
// data source behind Grafana's proxy must not send them on to Grafana's own API.
func (c *Client) checkRedirect(request *http.Request, via []*http.Request) error {
	root := strings.TrimSuffix(c.base.Path, "/") + "/"
	below := strings.HasPrefix(path.Clean("/"+request.URL.Path)+"/", root)
	if request.URL.Scheme == c.base.Scheme && request.URL.Host == c.base.Host && below && len(via) <= 3 {
		return nil
	}
	target := c.Clean(request.URL.Scheme+"://"+request.URL.Host+request.URL.Path, 200)
	return &upstream.Error{
		Upstream: c.name, Category: upstream.Config,
		Message: "it redirects to " + target + ", where the credentials must not follow",
		Advice:  "Put the final address into the url. If it is a login page, the server needs credentials that it takes from a program",
	}
}

// WithOwnBreaker is a client for a part of the upstream's API that may fail by itself:
// the same connections and turns, but failures are counted apart.
func (c *Client) WithOwnBreaker() *Client {
	apart := *c
	apart.breaker = newBreaker(c.name, c.limits, c.breaker.probe)
	return &apart
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ResponseBytes is the size to which an answer may grow.
func (c *Client) ResponseBytes() int64 { return c.limits.ResponseBytes }

// URL is the address of an endpoint. A part of the path that begins with a
// colon takes the argument of that name.
func (c *Client) URL(endpoint string, arguments map[string]string) *url.URL {
	parts := strings.Split(strings.Trim(endpoint, "/"), "/")
	for i, part := range parts {
		if name, found := strings.CutPrefix(part, ":"); found {
			parts[i] = url.PathEscape(arguments[name])
		}
	}
	return c.base.JoinPath(parts...)
}

// Deadline starts the time that a question has. The requests made below it
// share that time.
func (c *Client) Deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.limits.Timeout, errDeadline)
}

var errDeadline = errors.New("the query's deadline has passed")

// Get asks an endpoint and returns the body of its answer and the headers that
// came with it.
func (c *Client) Get(ctx context.Context, address *url.URL, accept string) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, nil, &upstream.Error{Upstream: c.name, Category: upstream.Config, Message: c.Clean(err.Error(), upstream.MaxMessage), Err: err}
	}
	request.Header.Set("Accept", accept)
	response, body, err := c.Do(ctx, request) //nolint:bodyclose // Do closes it
	if err != nil {
		return nil, nil, err
	}
	return body, response.Header, nil
}

// Do waits for its turn, sends the request and reads the whole answer. The
// response is there without an error for 2xx only; its body has been read.
func (c *Client) Do(ctx context.Context, request *http.Request) (*http.Response, []byte, error) {
	ctx, cancel := c.Deadline(ctx)
	defer cancel()
	request = c.withParameters(request)
	ctx, fetch := telemetry.StartFetch(ctx, c.name)
	leave, err := c.slots.Acquire(ctx, 1)
	if err != nil {
		err = c.queueTimeout(ctx, err)
		fetch.End(0, err)
		return nil, nil, err
	}
	defer leave()
	fetch.Admitted()
	result, err := c.doWithRetry(ctx, request, func(request *http.Request) (answer, error) {
		return c.breaker.do(ctx, func() (answer, error) {
			result, err := c.roundTrip(ctx, request)
			upstream.Count(ctx, c.name, upstream.Work{Requests: 1, Bytes: int64(len(result.body))})
			return result, err
		})
	})
	fetch.End(len(result.body), err)
	return result.response, result.body, err
}

// withParameters adds those of the settings to the URL.
func (c *Client) withParameters(request *http.Request) *http.Request {
	if len(c.parameters) == 0 {
		return request
	}
	with := request.Clone(request.Context())
	query := with.URL.Query()
	for name, values := range c.parameters {
		query[name] = values
	}
	with.URL.RawQuery = query.Encode()
	return with
}

func (c *Client) queueTimeout(ctx context.Context, err error) error {
	failure := c.failure(ctx, err)
	if failure.Category == upstream.Timeout {
		failure.Category = upstream.Overload
		failure.Message = fmt.Sprintf("no free slot within %s: %d requests are in flight", c.limits.Timeout, c.limits.Concurrency)
		failure.Advice = "Send fewer queries at once, or raise limits.concurrency"
	}
	return failure
}

func (c *Client) roundTrip(ctx context.Context, request *http.Request) (answer, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, c.failure(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		// A refusal is a few lines; what is longer is not worth reading.
		body, _ := readAtMost(response, maxErrorBody)
		return answer{response, body}, c.httpError(response, body)
	}
	if response.ContentLength > c.limits.ResponseBytes {
		return answer{}, c.failure(ctx, httpclient.ErrResponseBodyTooLarge)
	}
	body, err := c.read(ctx, response.Body, response.Header.Get("Content-Type"))
	if err != nil {
		return answer{}, c.failure(ctx, err)
	}
	if isHTML(body) {
		return answer{}, c.htmlError(response, body)
	}
	return answer{response, body}, nil
}

// Clean makes a foreign text fit for a message of ours: without secrets, in
// case a server or a proxy repeats what it was sent, and of so many bytes.
func (c *Client) Clean(text string, limit int) string {
	return upstream.Clean(c.redact.Replace(text), limit)
}
