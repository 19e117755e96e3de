package transport_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

func newClient(t *testing.T, config transport.Config, limits transport.Limits) *transport.Client {
	t.Helper()
	if config.Mode == "" {
		config.Mode = transport.Direct
	}
	client, err := transport.New("Prometheus", config, limits)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func get(client *transport.Client) ([]byte, error) {
	body, _, err := client.Get(context.Background(), client.URL("api", nil), "application/json")
	return body, err
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestCredentialsAreSent(t *testing.T) {
	var got *http.Request
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r; _, _ = w.Write([]byte(`{}`)) })

	_, err := get(newClient(t, transport.Config{URL: server.URL, BasicUser: "u", BasicPassword: "p", Tenant: "team-a", Headers: http.Header{"x-extra": {"1"}}}, transport.Limits{}))
	require.NoError(t, err)
	user, password, _ := got.BasicAuth()
	require.Equal(t, []string{"u", "p", "team-a", "1", "application/json"},
		[]string{user, password, got.Header.Get("X-Scope-OrgID"), got.Header.Get("X-Extra"), got.Header.Get("Accept")})

	_, err = get(newClient(t, transport.Config{URL: server.URL, BearerToken: "token"}, transport.Limits{}))
	require.NoError(t, err)
	require.Equal(t, "Bearer token", got.Header.Get("Authorization"))

	_, err = get(newClient(t, transport.Config{Mode: transport.Grafana, URL: server.URL, UID: "prom", GrafanaToken: "glsa_1", Tenant: "ignored", BasicUser: "ignored"}, transport.Limits{}))
	require.NoError(t, err)
	require.Equal(t, "/api/datasources/proxy/uid/prom/api", got.URL.Path)
	require.Equal(t, "Bearer glsa_1", got.Header.Get("Authorization"))
	require.Empty(t, got.Header.Get("X-Scope-OrgID"))
}

func TestFailuresHaveACategory(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	page := `<!DOCTYPE html><html><head><TITLE>Sign in &amp; more</TITLE></head></html>`
	answers := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, test := range map[string]struct {
		handler  http.HandlerFunc
		config   transport.Config
		category upstream.Category
		message  string
	}{
		"refused connection": {config: transport.Config{URL: closed.URL}, category: upstream.Network, message: "refused"},
		"unknown host":       {config: transport.Config{URL: "http://does-not-exist.invalid"}, category: upstream.Network, message: "does-not-exist.invalid"},
		"PromQL error":       {handler: answers(400, "application/json", `{"status":"error","errorType":"bad_data","error":"1:3: parse error"}`), category: upstream.Rejected, message: "1:3: parse error"},
		"TraceQL error":      {handler: answers(400, "text/plain", "invalid TraceQL query: parse error\n"), category: upstream.Rejected, message: "invalid TraceQL query: parse error"},
		"too many samples":   {handler: answers(422, "application/json", `{"errorType":"execution","error":"query processing would load too many samples"}`), category: upstream.Rejected, message: "too many samples"},
		"query timeout":      {handler: answers(503, "application/json", `{"errorType":"timeout","error":"query timed out in expression evaluation"}`), category: upstream.Overload, message: "timed out"},
		"unauthorized":       {handler: answers(401, "text/plain", "no org id"), category: upstream.Auth, message: "tenant"},
		"grafana denies":     {handler: answers(403, "application/json", `{"message":"You'll need additional permissions"}`), config: transport.Config{Mode: transport.Grafana, UID: "prom", GrafanaToken: "glsa_1"}, category: upstream.Auth, message: "service account"},
		"grafana knows none": {handler: answers(404, "application/json", `{"message":"Data source not found"}`), config: transport.Config{Mode: transport.Grafana, UID: "prom", GrafanaToken: "glsa_1"}, category: upstream.NotFound, message: "uid prom"},
		"not found":          {handler: answers(404, "text/plain", "404 page not found"), category: upstream.NotFound, message: "path prefix"},
		"rate limit":         {handler: answers(429, "text/plain", "too many requests"), category: upstream.Overload, message: "too many requests"},
		"gateway timeout":    {handler: answers(504, "text/html", page), category: upstream.Timeout, message: "web page (Sign in"},
		"server error":       {handler: answers(500, "text/plain", "panic"), category: upstream.Server, message: "panic"},
		"not modified":       {handler: answers(304, "text/plain", ""), category: upstream.Malformed},
		"web page":           {handler: answers(200, "text/html", "\n"+page), category: upstream.Malformed, message: "Sign in"},
		"truncated": {category: upstream.Network, message: "in the middle", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"status":`))
		}},
		"aborted": {category: upstream.Network, message: "in the middle", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"not gzip": {category: upstream.Malformed, message: "compressed", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("this is not compressed at all"))
		}},
		"echoes the secret": {handler: answers(500, "text/plain", "header was Bearer hunter2hunter2\x1b[31m"), config: transport.Config{BearerToken: "hunter2hunter2"}, category: upstream.Server, message: "Bearer ***"},
		"echoes the password": {handler: func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, r.Header.Get("Authorization"), http.StatusInternalServerError)
		}, config: transport.Config{BasicUser: "u", BasicPassword: "hunter2hunter2"}, category: upstream.Server, message: "Basic ***"},
		"echoes it as JSON": {handler: answers(500, "text/plain", `{"token": "hunter2\"hunter2"`), config: transport.Config{BearerToken: `hunter2"hunter2`}, category: upstream.Server, message: "***"},
		"echoes it in a long title": {handler: answers(500, "text/html", "<html><title>"+strings.Repeat("x", 85)+" hunter2hunter2hunter2</title>"),
			config: transport.Config{BearerToken: "hunter2hunter2hunter2"}, category: upstream.Server, message: "***"},
		"one secret in another": {handler: answers(500, "text/plain", "hunter2hunter2and more"), category: upstream.Server, message: "failed (HTTP 500): ***",
			config: transport.Config{BearerToken: "hunter2hunter2and more", Headers: http.Header{"X": {"hunter2hunter2"}}}},
		"out of the data source": {handler: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/api/serviceaccounts/1/tokens", http.StatusTemporaryRedirect)
		},
			config: transport.Config{Mode: transport.Grafana, UID: "prom", GrafanaToken: "hunter2hunter2"}, category: upstream.Config, message: "redirects to"},
		"out of it by dots": {handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/api/datasources/proxy/uid/prom/%2e%2e/other")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, config: transport.Config{Mode: transport.Grafana, UID: "prom", GrafanaToken: "hunter2hunter2"}, category: upstream.Config, message: "redirects to"},
		"metadata service": {config: transport.Config{URL: "http://169.254.169.254"}, category: upstream.Config, message: "are refused"},
		"long message":     {handler: answers(500, "text/plain", strings.Repeat("long ", 10000)), category: upstream.Server, message: "…"},
		"other host": {handler: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://login.example/", http.StatusFound)
		}, category: upstream.Config, message: "redirects to http://login.example"},
		"redirect loop": {handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, category: upstream.Config, message: "redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.handler != nil {
				test.config.URL = serve(t, test.handler).URL
			}
			_, err := get(newClient(t, test.config, transport.Limits{}))
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, test.category, known.Category, err)
			require.Contains(t, err.Error(), test.message)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "\x1b")
			require.Less(t, len(err.Error()), upstream.MaxMessage+400)
		})
	}
}

func TestRedirectOnTheSameServerIsFollowed(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api" {
			http.Redirect(w, r, "/api/", http.StatusPermanentRedirect)
			return
		}
		_, _ = w.Write([]byte(r.Header.Get("Authorization")))
	})
	body, err := get(newClient(t, transport.Config{URL: server.URL, BearerToken: "token"}, transport.Limits{}))
	require.NoError(t, err)
	require.Equal(t, "Bearer token", string(body))
}
