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

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestPlaybookOverTheShop ships a version of orders with a slow query: the
// playbook recommends to roll back the right service and version, with the
// statement as evidence, and automation gets that once, signed.
func TestPlaybookOverTheShop(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	_, l := shop(t)
	type event struct {
		Type, Subject string
		Data          struct{ Target map[string]string }
	}
	received := make(chan event, 10)
	automation := server(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var e event
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = verifier.Verify(raw, r.Header)
		}
		if err == nil {
			err = json.Unmarshal(raw, &e)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		received <- e
	})
	notes := harness.NewAnnotations("glsa_test")
	settings := l.Settings()
	settings["grafana"] = map[string]any{"url": server(t, notes.ServeHTTP)}
	settings["webhooks"] = []any{map[string]any{"name": "rollback", "url": automation, "private": true}}
	settings["playbooks"] = map[string]any{
		"mode": "recommend", "rules": map[string]any{"slowQueryAfterDeploy": "auto"}, "services": []any{"orders"}, "webhook": "rollback",
		// What other tests of the same lab broke is not this test's.
		"stopShare": 1, "minConfidence": 0.1,
	}
	source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(settings, map[string]string{"grafanaToken": "glsa_test", "signingSecret": secret})}

	// A sound version first, so that what an earlier test left slow is not what
	// the new one is compared with.
	const sound, slow = "7.0.0", "7.1.0"
	require.NoError(t, l.Deploy(t.Context(), "orders", sound, ""))
	time.Sleep(45 * time.Second) // traffic to compare with
	require.NoError(t, l.Deploy(t.Context(), "orders", slow, "slow-query"))
	t.Cleanup(func() { _ = l.Deploy(context.Background(), "orders", sound, "") }) // as automation would

	recommended := func(plan map[string]any) (found map[string]any) {
		list, _ := plan["recommendations"].([]any)
		for _, one := range list {
			if r := one.(map[string]any); r["pattern"] == "slowQueryAfterDeploy" && r["target"].(map[string]any)["service"] == "orders" {
				found = r
			}
		}
		return found
	}
	var plan map[string]any
	eventually(t, 4*time.Minute, "the playbook recommends a rollback", func() error {
		var status int
		status, plan = call(t, source, "Viewer", http.MethodGet, "playbooks?service=orders", "")
		if status != http.StatusOK { // a busy machine may not answer in time
			return fmt.Errorf("status %d: %v", status, plan)
		}
		one := recommended(plan)
		return unless(one != nil && one["state"] == "ready" && one["target"].(map[string]any)["version"] == slow, "%v", plan)
	})
	one := recommended(plan)
	require.Equal(t, "rollBack", one["action"])
	target := one["target"].(map[string]any)
	require.Equal(t, []any{"orders", slow, sound}, []any{target["service"], target["version"], target["previous"]}, plan)
	evidence, err := json.Marshal(one["evidence"])
	require.NoError(t, err)
	require.Contains(t, string(evidence), slow)
	require.Contains(t, strings.ToUpper(string(evidence)), "SELECT")
	require.Empty(t, received, "reading sends nothing")

	status, refused := call(t, source, "Viewer", http.MethodPost, "playbooks", `{"service":"orders"}`)
	require.Equal(t, http.StatusForbidden, status, refused)
	var sent map[string]any
	act := func(sends int) func() error {
		return func() error {
			var status int
			status, sent = call(t, source, "Editor", http.MethodPost, "playbooks", `{"service":"orders"}`)
			if status != http.StatusOK {
				return fmt.Errorf("status %d: %v", status, sent)
			}
			return unless(len(sent["sent"].([]any)) == sends, "%v", sent)
		}
	}
	eventually(t, 3*time.Minute, "the rollback is sent", act(1))
	got := <-received // it was sent before the answer came
	require.Equal(t, "foresight.playbook.rollBack.v1", got.Type)
	require.Equal(t, "orders", got.Subject)
	require.Equal(t, slow, got.Data.Target["version"])
	require.Equal(t, sound, got.Data.Target["previous"])
	require.Contains(t, fmt.Sprint(notes.Of("glsa_test")), "foresight:acted")

	eventually(t, 3*time.Minute, "once is enough", act(0))
	require.Empty(t, received)
}
