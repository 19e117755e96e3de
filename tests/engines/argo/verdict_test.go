package argo

import (
	"slices"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/metricproviders/webmetric"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	log "github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// TestCanaryTemplate analyses a canary as the shipped template does, with the
// prometheus provider, and with the web provider.
func TestCanaryTemplate(t *testing.T) {
	grafana := stage.Start(t)
	analyse := func(grafana stage.Stage, scene, token string) v1alpha1.Measurement {
		template := templates(t, scene, map[string]string{
			"service": "cart", "stable": "1", "canary": "2", "grafana": grafana.Grafana, "token": token})["foresight-canary"]
		require.GreaterOrEqual(t, template.Spec.Metrics[0].ConsecutiveErrorLimit.IntValue(), 30)
		return measure(t, template.Spec.Metrics[0])
	}
	web := func(grafana stage.Stage, scene, token string) v1alpha1.Measurement {
		metric := v1alpha1.Metric{
			Name: "verdict", SuccessCondition: `result.verdict == "pass"`, FailureCondition: `result.verdict == "fail"`,
			Provider: v1alpha1.MetricProvider{Web: &v1alpha1.WebMetric{
				URL:     grafana.Resources(scene) + "/verdict?service=cart&baseline=1&candidate=2",
				Headers: []v1alpha1.WebMetricHeader{{Key: "Authorization", Value: "Bearer " + token}},
			}},
		}
		client, err := webmetric.NewWebMetricHttpClient(metric)
		require.NoError(t, err)
		parser, err := webmetric.NewWebMetricJsonParser(metric)
		require.NoError(t, err)
		return webmetric.NewWebMetricProvider(*log.NewEntry(log.New()), client, parser).Run(&v1alpha1.AnalysisRun{}, metric)
	}
	for provider, run := range map[string]func(stage.Stage, string, string) v1alpha1.Measurement{"prometheus": analyse, "web": web} {
		for scene, want := range map[string]v1alpha1.AnalysisPhase{
			"good":      v1alpha1.AnalysisPhaseSuccessful,
			"collapsed": v1alpha1.AnalysisPhaseFailed, // its canary fails
			"undecided": v1alpha1.AnalysisPhaseInconclusive,
			"over":      v1alpha1.AnalysisPhaseError, // the canary no longer serves
		} {
			found := run(grafana, scene, stage.Viewer)
			require.Equal(t, want, found.Phase, "%s, %s: %s %s", provider, scene, found.Value, found.Message)
		}
		for _, scene := range slices.DeleteFunc(slices.Clone(stage.Silent), func(s string) bool { return s == "young" }) {
			t.Run(provider+" "+scene, func(t *testing.T) {
				t.Parallel()
				found := run(grafana, scene, stage.Viewer)
				require.Equal(t, v1alpha1.AnalysisPhaseError, found.Phase, "neither promoted nor failed: %s", found.Value)
			})
		}
		require.Equal(t, v1alpha1.AnalysisPhaseError, run(grafana, "good", "wrong").Phase)
		require.Equal(t, v1alpha1.AnalysisPhaseError, run(stage.Gone(t), "good", stage.Viewer).Phase, "a restart of Grafana")
	}
	told := analyse(grafana, "collapsed", stage.Viewer)
	require.Contains(t, told.Metadata["warnings"], "errors is worse", "the reason reaches the analysis run")
	require.True(t, strings.HasPrefix(told.Value, "[-1"), told.Value)
}
