//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// call asks a resource of the data source as a user of a role.
func call(t *testing.T, source harness.DataSource, role, method, url, body string) (int, map[string]any) {
	t.Helper()
	plugin := source.Context
	plugin.User = &backend.User{Login: "sa-1", Role: role}
	path, _, _ := strings.Cut(url, "?")
	status, raw, err := source.Plugin.Resource(t.Context(), &backend.CallResourceRequest{
		PluginContext: plugin, Path: path, Method: method, URL: url, Body: []byte(body), Headers: map[string][]string{"Content-Type": {"application/json"}},
	})
	require.NoError(t, err)
	var found map[string]any
	require.NoError(t, json.Unmarshal(raw, &found), string(raw))
	return status, found
}

// TestWebhookOut sends a number from the plugin process to a receiver that
// checks its signature.
func TestWebhookOut(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	verified := make(chan error, 1)
	automation := server(t, func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = verifier.Verify(raw, r.Header)
		}
		verified <- err
	})
	settings := map[string]any{
		"prometheus": map[string]any{"url": server(t, steadyService)},
		"webhooks":   []any{map[string]any{"name": "warm", "url": automation, "private": true}},
	}
	source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(settings, map[string]string{"signingSecret": secret})}
	status, answer := call(t, source, "Editor", http.MethodPost, "hooks/send", `{"webhook":"warm","query":"foresight_predicted_demand{service=\"orders\"}"}`)
	require.Equal(t, http.StatusOK, status, answer)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case err := <-verified:
		require.NoError(t, err)
	case <-ctx.Done():
		t.Fatal("nothing arrived")
	}

	changes := make(chan []byte, 1)
	pagers := server(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		changes <- raw
		w.WriteHeader(http.StatusAccepted)
	})
	const routingKey = "0123456789abcdef0123456789abcdef"
	paged := harness.DataSource{Plugin: source.Plugin, Context: harness.PluginContext(map[string]any{
		"prometheus": settings["prometheus"],
		"webhooks":   []any{map[string]any{"name": "pagerduty", "kind": "pagerDutyChanges", "url": pagers, "private": true}},
	}, map[string]string{"pagerDutyRoutingKey": routingKey})}
	status, answer = call(t, paged, "Editor", http.MethodPost, "hooks/send", `{"webhook":"pagerduty","query":"foresight_predicted_demand{service=\"orders\"}"}`)
	require.Equal(t, http.StatusOK, status, answer)
	var change struct {
		RoutingKey string `json:"routing_key"`
		Payload    struct{ Summary string }
	}
	require.NoError(t, json.Unmarshal(<-changes, &change))
	require.Equal(t, routingKey, change.RoutingKey)
	var demand float64
	_, err := fmt.Sscanf(change.Payload.Summary, "predicted demand of orders: %g (n=", &demand)
	require.NoError(t, err, change.Payload.Summary)
	soon := time.Now()
	require.InDelta(t, max(timeOfDay(soon), timeOfDay(soon.Add(10*time.Minute))), demand, 0.005, change.Payload.Summary)

	unsigned := harness.DataSource{Plugin: source.Plugin, Context: harness.PluginContext(settings, nil)}
	health, err := unsigned.Plugin.Health(t.Context(), unsigned.Context)
	require.NoError(t, err)
	require.Equal(t, backend.HealthStatusError, health.Status)
	require.Contains(t, health.Message, "signingSecret")
	status, answer = call(t, unsigned, "Viewer", http.MethodGet, "prom/api/v1/query?query=foresight_up", "")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, answer["error"], "signingSecret")
}
