package plugin

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// proxied is Grafana's resource proxy: each HTTP request of a client is one call
// of the plugin, by a user of its own, and has one answer.
type proxied struct {
	source backend.CallResourceHandler
	user   *backend.User
}

func (p proxied) RoundTrip(r *http.Request) (*http.Response, error) {
	call := &backend.CallResourceRequest{Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/"), URL: r.URL.Path, Headers: r.Header}
	if r.Body != nil {
		call.Body, _ = io.ReadAll(r.Body)
	}
	call.PluginContext = backend.PluginContext{OrgID: 1, User: p.user, PluginVersion: "9.9.9"}
	recorder := httptest.NewRecorder()
	err := p.source.CallResource(r.Context(), call, backend.CallResourceResponseSenderFunc(func(answer *backend.CallResourceResponse) error {
		for name, values := range answer.Headers {
			recorder.Header()[http.CanonicalHeaderKey(name)] = values
		}
		if answer.Status != 0 {
			recorder.WriteHeader(answer.Status)
		}
		_, err := io.Copy(recorder, bytes.NewReader(answer.Body))
		return err
	}))
	response := recorder.Result()
	response.Request = r
	return response, err
}

// TestAnAssistantAsksThroughTheResources: the SDK's client, as a Viewer, over the
// calls that Grafana's proxy makes of its requests.
func TestAnAssistantAsksThroughTheResources(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"success","data":["<b>cart</b>","orders"]}`)
	}))
	t.Cleanup(server.Close)
	made, err := New(t.Context(), instance(`{"prometheus": {"url": "`+server.URL+`"}}`, nil))
	require.NoError(t, err)
	source := made.(*DataSource)
	t.Cleanup(source.Dispose)
	connect := func(user *backend.User) *mcp.ClientSession {
		client := mcp.NewClient(&mcp.Implementation{Name: "assistant", Version: "1"}, nil)
		session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
			Endpoint: "http://grafana/mcp", HTTPClient: &http.Client{Transport: proxied{source, user}},
		}, nil)
		require.NoError(t, err)
		t.Cleanup(func() { _ = session.Close() })
		return session
	}
	session := connect(&backend.User{Login: "sa-agent", Role: "Viewer"})
	listed, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Greater(t, len(listed.Tools), 15)
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "anomaly", Arguments: map[string]any{"expr": "up{"}})
	require.NoError(t, err)
	require.True(t, result.IsError, "no PromQL: the tool says so")

	result, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "explain_alert", Arguments: map[string]any{"labels": map[string]any{"service_name": "cart"}}})
	require.NoError(t, err)
	require.False(t, result.IsError)
	require.Equal(t, "9.9.9", result.StructuredContent.(map[string]any)["receipt"].(map[string]any)["version"], "the call's context reaches the tool")

	// A Viewer who writes through the protocol finds no way to.
	for _, name := range []string{"hooks/deploy", "playbooks", "feedback"} {
		_, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: name})
		require.ErrorContains(t, err, "unknown tool")
	}
}

// TestAgentsTakeTheShareOfViewers: with a service account an agent is no engine,
// whose reserve a loop of it would use up.
func TestAgentsTakeTheShareOfViewers(t *testing.T) {
	made, err := New(t.Context(), instance(`{"limits": {"callerRate": 5}}`, nil))
	require.NoError(t, err)
	source := made.(*DataSource)
	t.Cleanup(source.Dispose)
	refused := 0
	for range 40 {
		response, err := proxied{source, &backend.User{Login: "sa-loop", Role: "Viewer"}}.RoundTrip(httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(`{}`)))
		require.NoError(t, err)
		if response.StatusCode == http.StatusTooManyRequests {
			refused++
			require.Equal(t, "1", response.Header.Get("Retry-After"))
		}
	}
	require.Greater(t, refused, 20)
}
