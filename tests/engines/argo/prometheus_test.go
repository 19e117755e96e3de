// Package argo runs the analysis of Argo Rollouts, its own code, against the
// running plugin.
package argo

import (
	"os"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/metricproviders/prometheus"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	log "github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// templates are the shipped analysis templates by name, their arguments filled
// in and asking the data source of a scene.
func templates(t *testing.T, scene string, arguments map[string]string) map[string]v1alpha1.AnalysisTemplate {
	t.Helper()
	raw, err := os.ReadFile("../../../provisioning/engines/argo-rollouts.yaml")
	require.NoError(t, err)
	text := strings.ReplaceAll(string(raw), "uid/foresight/", "uid/"+scene+"/")
	for name, value := range arguments {
		text = strings.ReplaceAll(text, "{{args."+name+"}}", value)
	}
	found := map[string]v1alpha1.AnalysisTemplate{}
	for _, document := range strings.Split(text, "\n---\n") {
		var template v1alpha1.AnalysisTemplate
		require.NoError(t, yaml.UnmarshalStrict([]byte(document), &template))
		require.Equal(t, "AnalysisTemplate", template.Kind)
		found[template.Name] = template
	}
	return found
}

func measure(t *testing.T, metric v1alpha1.Metric) v1alpha1.Measurement {
	t.Helper()
	api, err := prometheus.NewPrometheusAPI(metric)
	require.NoError(t, err)
	provider, err := prometheus.NewPrometheusProvider(api, *log.NewEntry(log.New()), metric)
	require.NoError(t, err)
	return provider.Run(&v1alpha1.AnalysisRun{}, metric)
}

func TestHealthTemplate(t *testing.T) {
	grafana := stage.Start(t)
	analyse := func(grafana stage.Stage, scene, token string) v1alpha1.Measurement {
		template := templates(t, scene, map[string]string{"service": "cart", "grafana": grafana.Grafana, "token": token})["foresight-health"]
		require.GreaterOrEqual(t, template.Spec.Metrics[0].ConsecutiveErrorLimit.IntValue(), 30)
		return measure(t, template.Spec.Metrics[0])
	}
	good := analyse(grafana, "good", stage.Viewer)
	require.Equal(t, v1alpha1.AnalysisPhaseSuccessful, good.Phase, good.Message)
	require.Contains(t, good.Metadata["warnings"], "judged by", "the confidence reaches the analysis run")
	collapsed := analyse(grafana, "collapsed", stage.Viewer)
	require.Equal(t, v1alpha1.AnalysisPhaseFailed, collapsed.Phase, collapsed.Message)

	for _, scene := range stage.Silent {
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			found := analyse(grafana, scene, stage.Viewer)
			require.Equal(t, v1alpha1.AnalysisPhaseError, found.Phase, "neither promoted nor failed: %s", found.Value)
			require.NotEmpty(t, found.Message)
			t.Log(found.Message)
		})
	}
	require.Equal(t, v1alpha1.AnalysisPhaseError, analyse(grafana, "good", "wrong").Phase)
	require.Equal(t, v1alpha1.AnalysisPhaseError, analyse(stage.Gone(t), "good", stage.Viewer).Phase, "a restart of Grafana")
}
