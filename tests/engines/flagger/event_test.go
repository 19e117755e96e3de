package flagger

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/controller"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// TestEventWebhook lets Flagger tell of a rollout, as it does: every step is
// told, the begin is the deploy.
func TestEventWebhook(t *testing.T) {
	grafana := stage.Start(t)
	tell := func(token, message string) error {
		_, canary := shipped(t, grafana, "good")
		canary.Namespace, canary.Status.Phase, canary.Status.LastAppliedSpec = "shop", flaggerv1.CanaryPhaseProgressing, "85d557f47b"
		for _, webhook := range canary.Spec.Analysis.Webhooks {
			if webhook.Type == flaggerv1.EventHook {
				webhook.URL = strings.Replace(webhook.URL, "TOKEN", token, 1)
				return controller.CallEventWebhook(&canary, webhook, message, "Normal")
			}
		}
		t.Fatal("the shipped canary has no webhook for events")
		return nil
	}
	require.NoError(t, tell(stage.Editor, "New revision detected! Scaling up cart.shop"))
	require.NoError(t, tell(stage.Editor, "New revision detected! Scaling up cart.shop"), "told twice")
	require.NoError(t, tell(stage.Editor, "Advance cart.shop canary weight 5"))
	require.Error(t, tell(stage.Viewer, "New revision detected! Scaling up cart.shop"), "a viewer must not write")

	request, err := http.NewRequest(http.MethodGet, grafana.Grafana+"/api/annotations?tags=deploy", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+stage.Editor)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var found []struct {
		Text string
		Tags []string
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&found))
	require.Len(t, found, 1)
	require.Subset(t, found[0].Tags, []string{"deploy", "service:cart", "environment:shop"})
}
