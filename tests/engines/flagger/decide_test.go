package flagger

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/controller"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// TestDecidingWebhooks lets Flagger ask as the shipped canary does. A yes goes
// on with the rollout; from the hook "rollback" it rolls back.
func TestDecidingWebhooks(t *testing.T) {
	grafana := stage.Start(t)
	ask := func(grafana stage.Stage, scene, token string, hook flaggerv1.HookType) error {
		_, canary := shipped(t, grafana, scene)
		for _, webhook := range canary.Spec.Analysis.Webhooks {
			if webhook.Type == hook {
				webhook.URL = strings.Replace(webhook.URL, "TOKEN", token, 1)
				webhook.Metadata = &map[string]string{"baseline": "1", "candidate": "2"}
				return controller.CallWebhook(canary, flaggerv1.CanaryPhaseProgressing, webhook)
			}
		}
		t.Fatalf("the shipped canary has no webhook %s", hook)
		return nil
	}
	yes := map[flaggerv1.HookType][]string{
		flaggerv1.ConfirmRolloutHook:         {"good", "undecided", "over"}, // its present state alone
		flaggerv1.ConfirmTrafficIncreaseHook: {"good"},
		flaggerv1.ConfirmPromotionHook:       {"good"},
		flaggerv1.RollbackHook:               {"collapsed"},
	}
	silent := slices.DeleteFunc(slices.Clone(stage.Silent), func(s string) bool { return s == "young" })
	for hook, agreed := range yes {
		for _, scene := range append([]string{"good", "collapsed", "undecided", "over"}, silent...) {
			t.Run(string(hook)+" "+scene, func(t *testing.T) {
				t.Parallel()
				err := ask(grafana, scene, stage.Viewer, hook)
				if slices.Contains(agreed, scene) {
					require.NoError(t, err)
					return
				}
				require.Error(t, err)
				t.Log(err)
			})
		}
		require.Error(t, ask(grafana, "good", "wrong", hook))
		require.Error(t, ask(grafana, "collapsed", "wrong", hook))
		var failed *url.Error
		require.ErrorAs(t, ask(stage.Gone(t), "collapsed", stage.Viewer, hook), &failed)
	}
	require.ErrorContains(t, ask(grafana, "undecided", stage.Viewer, flaggerv1.ConfirmPromotionHook), "errors is undecided", "Flagger gets to see why")
}
