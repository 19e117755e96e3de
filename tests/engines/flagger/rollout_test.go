package flagger

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/controller"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// TestShippedRollout reads the shipped schedule as Flagger does, and lets its
// webhook ask whether to roll back.
func TestShippedRollout(t *testing.T) {
	raw, err := os.ReadFile("../../../provisioning/engines/rollout-flagger.yaml")
	require.NoError(t, err)
	grafana := stage.Start(t)
	read := func(scene string) (canary flaggerv1.Canary) {
		text := strings.NewReplacer("@grafana:3000", "@"+strings.TrimPrefix(grafana.Grafana, "http://"), "uid/foresight/", "uid/"+scene+"/", "TOKEN", stage.Viewer).Replace(string(raw))
		require.NoError(t, yaml.UnmarshalStrict([]byte(text), &canary))
		return canary
	}
	canary := read("good")
	weights := canary.GetAnalysis().StepWeights
	require.Equal(t, 1, weights[0])
	require.True(t, slices.IsSorted(weights))
	require.Len(t, slices.Compact(slices.Clone(weights)), len(weights), "Flagger stays for ever at a weight that comes twice")
	require.Greater(t, time.Duration(len(weights))*canary.GetAnalysisInterval(), time.Hour)
	for scene, back := range map[string]bool{"good": false, "undecided": false, "collapsed": true, "over": false} {
		canary := read(scene)
		for _, webhook := range canary.GetAnalysis().Webhooks {
			if webhook.Type == flaggerv1.RollbackHook {
				webhook.Metadata = &map[string]string{"baseline": "1", "candidate": "2"}
				err := controller.CallWebhook(canary, flaggerv1.CanaryPhaseProgressing, webhook)
				require.Equal(t, back, err == nil, "%s: %v", scene, err)
			}
		}
	}
}
