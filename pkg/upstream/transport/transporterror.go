package transport

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Failure is why a question was given up: that of its context, or what it would
// have taken of this process.
func (c *Client) Failure(ctx context.Context, err error) *upstream.Error { return c.failure(ctx, err) }

// failure says what it means that no answer came, or only a part of one.
func (c *Client) failure(ctx context.Context, err error) *upstream.Error {
	var known *upstream.Error
	if errors.As(err, &known) {
		return known
	}
	if refused := upstream.Refusal(c.name, err); refused != nil {
		return refused
	}
	known = &upstream.Error{Upstream: c.name, Err: err}
	// Its text holds the URL with all parameters; the cause is what matters.
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	if errors.Is(context.Cause(ctx), errDeadline) {
		known.Category = upstream.Timeout
		known.Message = fmt.Sprintf("no complete answer within %s", c.limits.Timeout)
		known.Advice = "Ask for a shorter time range or less detail, or raise limits.timeout"
		return known
	}
	if ctx.Err() != nil {
		known.Category = upstream.Cancelled
		known.Message = "the query was cancelled before its answer arrived"
		return known
	}
	for _, describe := range []func(*upstream.Error, error) bool{describeTLS, c.describeBody, describeNetwork} {
		if describe(known, err) {
			known.Message = c.Clean(known.Message, upstream.MaxMessage)
			return known
		}
	}
	known.Category, known.Message = upstream.Network, c.Clean(err.Error(), upstream.MaxMessage)
	known.Advice = "Check that the url is that of " + c.name + "'s HTTP API"
	return known
}

func describeTLS(known *upstream.Error, err error) bool {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		operation *net.OpError
	)
	known.Category = upstream.TLS
	switch {
	case errors.As(err, &authority):
		known.Message = authority.Error()
		known.Advice = "Put the certificate of its authority into the TLS settings (CA certificate)"
	case errors.As(err, &host):
		known.Message = host.Error()
		known.Advice = "Use the name in the certificate as host in the url, or as server name in the TLS settings"
	case errors.As(err, &invalid):
		known.Message = invalid.Error()
		known.Advice = "Renew the server's certificate"
	case errors.As(err, &verify):
		known.Message = verify.Err.Error()
		known.Advice = "Check the server's certificate"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		known.Message = "the server does not speak TLS"
		known.Advice = "Use http:// in the url"
	// The TLS stack reports an alert sent by the server as this operation.
	case errors.As(err, &operation) && operation.Op == "remote error":
		known.Message = "the server refused the connection: " + operation.Err.Error()
		known.Advice = "If it demands a client certificate, put one that it trusts into the TLS settings"
	default:
		return false
	}
	return true
}

func (c *Client) describeBody(known *upstream.Error, err error) bool {
	var deflated flate.CorruptInputError
	switch {
	case errors.Is(err, httpclient.ErrResponseBodyTooLarge):
		known.Category = upstream.TooLarge
		known.Message = fmt.Sprintf("the answer has more than %.3g MiB (or than Grafana's response_limit)", float64(c.limits.ResponseBytes)/(1<<20))
		known.Advice = "Narrow the time range, raise the step, or aggregate"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &deflated):
		known.Category = upstream.Malformed
		known.Message = "the compressed answer is damaged: " + err.Error()
		known.Advice = "Look for a proxy in between that changes answers"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		known.Category = upstream.Network
		known.Message = "the connection was closed in the middle of the answer"
		known.Advice = "Check the server's log: it may have been stopped, or run out of memory"
	default:
		return false
	}
	return true
}

func describeNetwork(known *upstream.Error, err error) bool {
	var (
		name      *net.DNSError
		operation *net.OpError
		timed     net.Error
	)
	known.Category = upstream.Network
	switch {
	case errors.Is(err, upstream.ErrMetadata):
		known.Category = upstream.Config
		known.Message = upstream.ErrMetadata.Error()
		known.Advice = "Correct the url"
	case errors.As(err, &name):
		known.Message = fmt.Sprintf("the host name %q is unknown", name.Name)
		if name.IsTimeout || name.IsTemporary {
			known.Message = fmt.Sprintf("the host name %q could not be looked up: %s", name.Name, name.Err)
		}
		known.Advice = "Check the url; it must be reachable from the Grafana server, not from the browser"
	case errors.As(err, &timed) && timed.Timeout():
		known.Category = upstream.Timeout
		known.Message = timed.Error()
		known.Advice = "Check the url, and the firewalls between the Grafana server and it"
	case errors.As(err, &operation):
		known.Message = operation.Op + ": " + operation.Err.Error()
		if operation.Addr != nil {
			known.Message = operation.Op + " " + operation.Addr.String() + ": " + operation.Err.Error()
		}
		known.Advice = "Check the url, and that the server runs; it must be reachable from the Grafana server"
	default:
		return false
	}
	return true
}
