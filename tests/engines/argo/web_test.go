package argo

import (
	"testing"

	"github.com/argoproj/argo-rollouts/metricproviders/webmetric"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	log "github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// TestWebProvider reads a number with the web provider. Version 1.10 takes
// every answer below 300 that is not JSON for a success, so all of ours are
// JSON, and none below 300 is without a number.
func TestWebProvider(t *testing.T) {
	grafana := stage.Start(t)
	ask := func(grafana stage.Stage, scene, token, jsonPath string) v1alpha1.Measurement {
		metric := v1alpha1.Metric{
			Name: "demand", SuccessCondition: "result > 60", FailureCondition: "result <= 60",
			Provider: v1alpha1.MetricProvider{Web: &v1alpha1.WebMetric{
				URL: grafana.Resources(scene) + "/keda/cart", JSONPath: jsonPath,
				Headers: []v1alpha1.WebMetricHeader{{Key: "Authorization", Value: "Bearer " + token}},
			}},
		}
		client, err := webmetric.NewWebMetricHttpClient(metric)
		require.NoError(t, err)
		parser, err := webmetric.NewWebMetricJsonParser(metric)
		require.NoError(t, err)
		return webmetric.NewWebMetricProvider(*log.NewEntry(log.New()), client, parser).Run(&v1alpha1.AnalysisRun{}, metric)
	}
	const value = "{$.value}"
	good := ask(grafana, "good", stage.Viewer, value)
	require.Equal(t, v1alpha1.AnalysisPhaseSuccessful, good.Phase, good.Message)
	for _, scene := range stage.Silent {
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			found := ask(grafana, scene, stage.Viewer, value)
			require.Equal(t, v1alpha1.AnalysisPhaseError, found.Phase, "neither promoted nor failed: %s", found.Value)
		})
	}
	require.Equal(t, v1alpha1.AnalysisPhaseError, ask(grafana, "good", stage.Viewer, "{$.valu}").Phase)
	require.Equal(t, v1alpha1.AnalysisPhaseError, ask(grafana, "good", "wrong", value).Phase)
	require.Equal(t, v1alpha1.AnalysisPhaseError, ask(stage.Gone(t), "good", stage.Viewer, value).Phase)
}
