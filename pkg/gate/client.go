package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxBody is how much is read of an answer, in bytes.
const maxBody = 1 << 20

// maxRetryAfter bounds the pause that a server may ask for.
const maxRetryAfter = 5 * time.Minute

// failure is a request without a usable answer.
type failure struct {
	reason string
	// permanent says that the same request will fail again.
	permanent  bool
	retryAfter time.Duration
}

func (f *failure) Error() string { return f.reason }

// noVerdict is Foresight's own answer that nothing can be said yet.
type noVerdict struct{ reason string }

func (n *noVerdict) Error() string { return n.reason }

// client asks one data source through Grafana.
type client struct {
	Config
	http *http.Client
	base string
}

func newClient(c Config) *client {
	return &client{Config: c, base: strings.TrimRight(c.URL, "/") + "/api/datasources/uid/" + url.PathEscape(c.DataSource) + "/resources/", http: &http.Client{
		Timeout: c.Timeout,
		// Grafana redirects to its login page, which is no answer. The token must
		// not go to another host, either.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// verdict is the verdict of now. Errors are *noVerdict or *failure.
func (c *client) verdict(ctx context.Context) (*Answer, error) {
	values := url.Values{"service": {c.Service}, "candidate": {c.Version}}
	for name, value := range map[string]string{"baseline": c.Baseline, "operation": c.Operation, "margin": c.Margin, "window": c.Window} {
		if value != "" {
			values.Set(name, value)
		}
	}
	body, err := c.do(ctx, http.MethodGet, "verdict?"+values.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return readAnswer(body, c.Config, time.Now())
}

// mark posts the deploy marker.
func (c *client) mark(ctx context.Context) error {
	marker, err := json.Marshal(map[string]string{"service": c.Service, "version": c.Version, "environment": c.Environment})
	if err != nil {
		return err
	}
	body, err := c.do(ctx, http.MethodPost, "hooks/deploy", marker)
	var none *noVerdict
	if errors.As(err, &none) {
		return &failure{reason: none.reason}
	}
	if err != nil {
		return err
	}
	var saved struct{ Kept, Known *int }
	if err := json.Unmarshal(body, &saved); err != nil || saved.Kept == nil || saved.Known == nil || *saved.Kept+*saved.Known != 1 {
		return unexpected("it does not say that the marker was saved", body)
	}
	return nil
}

// do is one request and its JSON answer.
func (c *client) do(ctx context.Context, method, path string, content []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(content))
	if err != nil {
		return nil, &failure{reason: err.Error(), permanent: true}
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "foresight-gate")
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, &failure{reason: "Grafana did not answer: " + err.Error()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, &failure{reason: "Grafana's answer broke off: " + err.Error()}
	case len(body) > maxBody:
		return nil, unexpected(fmt.Sprintf("it is larger than %d KiB", maxBody>>10), body)
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	isJSON := kind == "application/json" && json.Valid(body)
	switch {
	case response.StatusCode == http.StatusOK && isJSON:
		return body, nil
	case response.StatusCode == http.StatusOK:
		return nil, unexpected("it is not JSON", body)
	case response.StatusCode == http.StatusUnprocessableEntity && isJSON && reasonOf(body) != "":
		return nil, &noVerdict{reasonOf(body)}
	}
	return nil, refusal(response, body)
}

// refusal is the failure that a status stands for.
func refusal(response *http.Response, body []byte) *failure {
	said := reasonOf(body)
	if said == "" {
		said = http.StatusText(response.StatusCode)
	}
	f := &failure{reason: fmt.Sprintf("Grafana answered HTTP %d: %s", response.StatusCode, said), retryAfter: retryAfter(response.Header)}
	advice := ""
	switch status := response.StatusCode; {
	case status >= 300 && status < 400:
		advice = fmt.Sprintf("it redirects to %.200q; set -url to the address that answers, and the token of a service account", response.Header.Get("Location"))
	case status == http.StatusUnauthorized:
		advice = "check the token"
	case status == http.StatusForbidden:
		advice = "the service account needs the role Viewer, and Editor to post a marker"
	case status == http.StatusNotFound:
		advice = "check -url and -datasource, the uid of the Foresight data source"
	case status == http.StatusBadRequest, status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented, status == http.StatusRequestEntityTooLarge:
		advice = "check the options"
	}
	if advice != "" {
		f.reason, f.permanent = f.reason+"; "+advice, true
	}
	return f
}

// unexpected is an answer of HTTP 200 that nothing can be read from. It is not
// permanent: a proxy may answer so while Grafana restarts.
func unexpected(what string, body []byte) *failure {
	return &failure{reason: fmt.Sprintf("Grafana's answer is unexpected: %s; it begins with %.60q", what, body)}
}

// reasonOf is the message in an error of Foresight or of Grafana; empty where
// there is none.
func reasonOf(body []byte) string {
	var said struct{ Error, Message string }
	if json.Unmarshal(body, &said) != nil {
		return ""
	}
	if said.Error != "" {
		return said.Error
	}
	return said.Message
}

func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 3600))*time.Second, maxRetryAfter)
}
