package transport

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"

	"github.com/foresight-observability/foresight/pkg/upstream"
)

// maxErrorBody is how much of a refusal is read.
const maxErrorBody = 64 << 10

// readAtMost is the beginning of an answer's body.
func readAtMost(response *http.Response, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(response.Body, limit))
}

// httpError says what an answer other than 2xx means.
func (c *Client) httpError(response *http.Response, body []byte) *upstream.Error {
	message, kind := c.serverMessage(body)
	known := &upstream.Error{Upstream: c.name, Status: response.StatusCode, Message: message}
	switch code := response.StatusCode; {
	case kind == "timeout" || kind == "canceled": // Prometheus' own time limit of a query
		known.Category = upstream.Overload
		known.Advice = "Ask for a shorter time range or a larger step"
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusProxyAuthRequired:
		known.Category = upstream.Auth
		known.Advice = "Check the credentials (user and password, or token) and the tenant"
		if c.viaUID != "" {
			known.Advice = "The Grafana service account must be allowed to query the data source " + c.viaUID + ", and that data source must not depend on the user's own login"
		}
	case code == http.StatusNotFound || code == http.StatusGone:
		known.Category = upstream.NotFound
		known.Advice = "Check the url: a path prefix may be missing, or this is not " + c.name
		if c.viaUID != "" {
			known.Advice = "Check that Grafana has a " + c.name + " data source with the uid " + c.viaUID
		}
	case code == http.StatusRequestTimeout || code == http.StatusGatewayTimeout:
		known.Category = upstream.Timeout
		known.Advice = "Ask for a shorter time range or less detail"
	case code == http.StatusTooManyRequests:
		known.Category = upstream.Overload
		known.Advice = "Ask less often, or raise the limits of the server"
	case code >= 500:
		known.Category = upstream.Server
		known.Advice = "Look into the log of " + c.name + ", or of the proxy in front of it"
	case code >= 400:
		known.Category = upstream.Rejected
	default:
		known.Category = upstream.Malformed
		known.Advice = "Check that the url is that of " + c.name + "'s HTTP API"
	}
	return known
}

// serverMessage finds the server's own message in the body of a refusal: in Prometheus',
// Grafana's and Jaeger's JSON, or as plain text. The kind is Prometheus' errorType.
func (c *Client) serverMessage(body []byte) (message, kind string) {
	var known struct {
		Error     string `json:"error"`
		ErrorType string `json:"errorType"`
		Message   string `json:"message"`
		Errors    []struct {
			Message string `json:"msg"`
		} `json:"errors"`
	}
	switch {
	case json.Unmarshal(body, &known) == nil:
		message = known.Error
		if message == "" {
			message = known.Message
		}
		if message == "" && len(known.Errors) > 0 {
			message = known.Errors[0].Message
		}
	case isHTML(body):
		message = "a web page" + c.title(body)
	default:
		message = string(body)
	}
	return c.Clean(message, upstream.MaxMessage), known.ErrorType
}

// htmlError is the error for a web page in the place of an answer.
func (c *Client) htmlError(response *http.Response, body []byte) *upstream.Error {
	known := &upstream.Error{
		Upstream: c.name, Category: upstream.Malformed, Status: response.StatusCode,
		Message: c.Clean("a web page"+c.title(body)+" instead of data", upstream.MaxMessage),
		Advice:  "Check the url: it may lack a path prefix, or lead to a login page or to the web interface of " + c.name,
	}
	if c.viaUID != "" {
		known.Advice = "Check Grafana's url: it must be the one under which Grafana itself answers, without a login page in front"
	}
	return known
}

func isHTML(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(body[:min(len(body), 512)]), []byte("<"))
}

var titlePattern = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// title is the title of a web page, in brackets.
func (c *Client) title(body []byte) string {
	found := titlePattern.FindSubmatch(body[:min(len(body), maxErrorBody)])
	if found == nil {
		return ""
	}
	return " (" + c.Clean(string(found[1]), 100) + ")"
}
