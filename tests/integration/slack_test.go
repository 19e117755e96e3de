//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// requireSlackMessage passes a notification about a service on, as Grafana's contact
// point sends it while the rule of bad deploys fires, until the message in Slack
// holds all parts of the cause.
func requireSlackMessage(t *testing.T, source harness.DataSource, l *harness.Lab, service string, parts ...string) {
	t.Helper()
	messages := make(chan string, 1)
	slack := server(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		select {
		case messages <- string(raw):
		default:
		}
		_, _ = io.WriteString(w, "ok")
	})
	settings := l.Settings()
	settings["webhooks"] = []any{map[string]any{"name": "team", "kind": "slack", "url": slack, "private": true}}
	settings["enrich"] = map[string]any{"deadline": "15s"} // several tests may share the processor
	notified := harness.DataSource{Plugin: source.Plugin, Context: harness.PluginContext(settings, nil)}

	begun, tries := time.Now(), 0
	eventually(t, 45*time.Second, "the message in Slack names the cause", func() error {
		tries++
		labels := map[string]string{"alertname": "Deploy regressed", "grafana_folder": "Foresight", "service_name": service}
		raw, err := json.Marshal(map[string]any{
			"receiver": "foresight", "status": "firing", "version": "1", "groupKey": "deploys", "orgId": 1,
			"groupLabels": map[string]string{"alertname": labels["alertname"]}, "commonLabels": labels,
			"alerts": []any{map[string]any{
				"status": "firing", "labels": labels, "annotations": map[string]string{"summary": "A deploy made " + service + " slower"},
				"startsAt": begun, "fingerprint": fmt.Sprintf("%016x", tries),
			}},
		})
		require.NoError(t, err)
		status, answer := call(t, notified, "Editor", http.MethodPost, "hooks/enrich", string(raw))
		require.Equal(t, http.StatusOK, status, answer)
		require.Equal(t, []any{"team"}, answer["sent"], answer)
		message := <-messages
		for _, part := range parts {
			if !strings.Contains(strings.ToUpper(message), strings.ToUpper(part)) {
				return fmt.Errorf("%q is missing in %s; %v", part, message, answer["notices"])
			}
		}
		return nil
	})
}
