package argo

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// TestShippedRollout reads the shipped schedule as Argo Rollouts does, and asks its
// analysis for a verdict.
func TestShippedRollout(t *testing.T) {
	raw, err := os.ReadFile("../../../provisioning/engines/rollout-argo.yaml")
	require.NoError(t, err)
	parts := strings.Split(string(raw), "\n---\n")
	require.Len(t, parts, 2)
	var rollout v1alpha1.Rollout
	require.NoError(t, yaml.UnmarshalStrict([]byte(parts[1]), &rollout))
	steps := rollout.Spec.Strategy.Canary.Steps
	weight, total := int32(0), time.Duration(0)
	for _, step := range steps {
		switch {
		case step.SetWeight != nil:
			require.Greater(t, *step.SetWeight, weight)
			weight = *step.SetWeight
		case step.Pause != nil:
			require.Positive(t, step.Pause.DurationSeconds())
			total += time.Duration(step.Pause.DurationSeconds()) * time.Second
		}
	}
	require.EqualValues(t, 1, *steps[0].SetWeight)
	require.Greater(t, total, time.Hour)

	var template v1alpha1.AnalysisTemplate
	require.NoError(t, yaml.UnmarshalStrict([]byte(parts[0]), &template))
	require.Equal(t, template.Name, rollout.Spec.Strategy.Canary.Analysis.Templates[0].TemplateName)
	grafana := stage.Start(t)
	for scene, want := range map[string]v1alpha1.AnalysisPhase{
		"good":      v1alpha1.AnalysisPhaseSuccessful,
		"undecided": v1alpha1.AnalysisPhaseSuccessful, // the schedule goes on
		"collapsed": v1alpha1.AnalysisPhaseFailed,
		"over":      v1alpha1.AnalysisPhaseError,
	} {
		filled := parts[0]
		for name, value := range map[string]string{"service": "cart", "stable": "1", "canary": "2", "grafana": grafana.Grafana, "token": stage.Viewer} {
			filled = strings.ReplaceAll(filled, "{{args."+name+"}}", value)
		}
		filled = strings.ReplaceAll(filled, "/uid/foresight/", "/uid/"+scene+"/")
		require.NoError(t, yaml.UnmarshalStrict([]byte(filled), &template))
		found := measure(t, template.Spec.Metrics[0])
		require.Equal(t, want, found.Phase, "%s: %s %s", scene, found.Value, found.Message)
	}
}
