// Package flagger runs the metric provider and the webhooks of Flagger, its own
// code, against the running plugin.
package flagger

import (
	"os"
	"strings"
	"testing"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/metrics/providers"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// shipped are the metric template and the canary of the shipped file, asking
// the data source of a scene.
func shipped(t *testing.T, grafana stage.Stage, scene string) (template flaggerv1.MetricTemplate, canary flaggerv1.Canary) {
	t.Helper()
	raw, err := os.ReadFile("../../../provisioning/engines/flagger.yaml")
	require.NoError(t, err)
	text := strings.NewReplacer("http://grafana:3000", grafana.Grafana, "@grafana:3000", "@"+strings.TrimPrefix(grafana.Grafana, "http://"), "uid/foresight/", "uid/"+scene+"/").Replace(string(raw))
	documents := strings.Split(text, "\n---\n")
	require.Len(t, documents, 2)
	require.NoError(t, yaml.UnmarshalStrict([]byte(documents[0]), &template))
	require.NoError(t, yaml.UnmarshalStrict([]byte(documents[1]), &canary))
	return template, canary
}

func TestMetricTemplate(t *testing.T) {
	grafana := stage.Start(t)
	ask := func(grafana stage.Stage, scene, token string) (score, limit float64, err error) {
		template, canary := shipped(t, grafana, scene)
		provider, err := providers.NewPrometheusProvider(template.Spec.Provider, map[string][]byte{"token": []byte(token)})
		require.NoError(t, err)
		if online, err := provider.IsOnline(); !online {
			return 0, 0, err
		}
		query := strings.ReplaceAll(template.Spec.Query, "{{ target }}", canary.Spec.TargetRef.Name)
		score, err = provider.RunQuery(query)
		return score, *canary.Spec.Analysis.Metrics[0].ThresholdRange.Max, err
	}
	score, limit, err := ask(grafana, "good", stage.Viewer)
	require.NoError(t, err)
	require.Less(t, score, limit)
	score, limit, err = ask(grafana, "collapsed", stage.Viewer)
	require.NoError(t, err)
	require.Greater(t, score, limit)
	for _, scene := range stage.Silent {
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			_, _, err := ask(grafana, scene, stage.Viewer)
			require.Error(t, err, "an error halts the advance")
			t.Log(err)
		})
	}
	_, _, err = ask(grafana, "good", "wrong")
	require.Error(t, err)
	_, _, err = ask(stage.Gone(t), "good", stage.Viewer)
	require.Error(t, err)
}
