//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestDeploySources deploys into the shop and asks when: what an annotation in
// Grafana says goes before the first span of the version, and a resource that
// Prometheus knows is enough where the versions in spans do not count.
func TestDeploySources(t *testing.T) {
	_, l := shop(t)
	from := time.Now()
	time.Sleep(20 * time.Second) // the version before
	announced := time.Now().Truncate(time.Second)
	grafana := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/annotations" || r.Header.Get("Authorization") != "Bearer glsa_test" || r.URL.Query().Get("tags") != "deploy" {
			http.Error(w, "unexpected", http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprintf(w, `[{"id": 1, "time": %d, "text": "pipeline 4711", "tags": ["deploy", "service:cart", "version:4.0.0"]}]`, announced.UnixMilli())
	}))
	defer grafana.Close()
	require.NoError(t, l.Deploy(t.Context(), "cart", "4.0.0", ""))

	ask := func(deploys map[string]any, token string) (deployed time.Time, source, note string, err error) {
		settings := l.Settings()
		settings["grafana"], settings["deploys"] = map[string]any{"url": grafana.URL}, deploys
		asker := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(settings, map[string]string{"grafanaToken": token})}
		frames, err := asker.Ask(t.Context(), from, time.Now(), map[string]any{"queryType": "deploys", "service": "cart"})
		require.NoError(t, err)
		for row := range frames[0].Rows() {
			if harness.Text(frames[0], "version", row) == "4.0.0" && harness.Text(frames[0], "arrived", row) == "true" {
				field, _ := frames[0].FieldByName("deployed")
				value, _ := field.ConcreteAt(row)
				return value.(time.Time), harness.Text(frames[0], "source", row), harness.Text(frames[0], "note", row), nil
			}
		}
		return deployed, "", "", fmt.Errorf("cart 4.0.0 has not arrived: %v", frames[0].Meta.Notices)
	}
	health := func(token string) (string, string) {
		settings := l.Settings()
		settings["grafana"] = map[string]any{"url": grafana.URL}
		found, err := startedPlugin(t).Health(t.Context(), harness.PluginContext(settings, map[string]string{"grafanaToken": token}))
		require.NoError(t, err)
		require.Equal(t, "OK", found.Status.String(), "deploys are found all the same: %s", found.Message)
		return found.Message, string(found.JSONDetails)
	}
	message, _ := health("glsa_test")
	require.Contains(t, message, "Announced deploys (annotation): connected; 1 in the last week")
	message, details := health("glsa_other")
	require.Contains(t, message, "Announced deploys (annotation): Grafana rejected")
	require.Contains(t, details, "annotations:read")

	for _, c := range []struct {
		deploys            map[string]any
		token, source      string
		note               string
		earliest, tolerant time.Duration
	}{
		{map[string]any{}, "", "version", "", -10 * time.Second, 45 * time.Second},
		{map[string]any{}, "glsa_test", "annotation", "pipeline 4711", 0, 0},
		{map[string]any{"fromVersions": false}, "", "metrics", "changed", -10 * time.Second, 60 * time.Second},
	} {
		var deployed time.Time
		var source, note string
		eventually(t, 90*time.Second, "the deploy is known from "+c.source, func() (err error) {
			if deployed, source, note, err = ask(c.deploys, c.token); err != nil {
				return err
			}
			return unless(source == c.source, "it is known from %s", source) // metrics may come before spans are searchable
		})
		require.Contains(t, note, c.note)
		require.False(t, deployed.Before(announced.Add(c.earliest)), "%s at %s, announced at %s", source, deployed, announced)
		require.False(t, deployed.After(announced.Add(c.tolerant)), "%s at %s, announced at %s", source, deployed, announced)
	}
}
