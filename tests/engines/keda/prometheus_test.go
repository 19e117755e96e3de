// Package keda runs the scalers of KEDA, its own code, against the running
// plugin.
package keda

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// shipped is the scaled object of the shipped file, asking the data source of a
// scene.
func shipped(t *testing.T, grafana stage.Stage, scene string) (scaled v1alpha1.ScaledObject) {
	t.Helper()
	raw, err := os.ReadFile("../../../provisioning/engines/keda.yaml")
	require.NoError(t, err)
	text := strings.NewReplacer("http://grafana:3000", grafana.Grafana, "uid/foresight/", "uid/"+scene+"/").Replace(string(raw))
	documents := strings.Split(text, "\n---\n")
	var authentication v1alpha1.TriggerAuthentication
	require.NoError(t, yaml.UnmarshalStrict([]byte(documents[0]), &authentication))
	require.Equal(t, "bearerToken", authentication.Spec.SecretTargetRef[0].Parameter)
	require.NoError(t, yaml.UnmarshalStrict([]byte(documents[1]), &scaled))
	require.Equal(t, "currentReplicasIfHigher", scaled.Spec.Fallback.Behavior)
	return scaled
}

func TestPredictedDemand(t *testing.T) {
	grafana := stage.Start(t)
	ask := func(grafana stage.Stage, scene, token string) (demand float64, active bool, err error) {
		trigger := shipped(t, grafana, scene).Spec.Triggers[1]
		scaler, err := scalers.NewPrometheusScaler(&scalersconfig.ScalerConfig{
			TriggerMetadata: trigger.Metadata, TriggerType: trigger.Type, TriggerName: trigger.Name,
			AuthParams: map[string]string{"bearerToken": token}, GlobalHTTPTimeout: 3 * time.Second,
		})
		require.NoError(t, err)
		defer func() { _ = scaler.Close(context.Background()) }()
		metrics, active, err := scaler.GetMetricsAndActivity(context.Background(), "predicted")
		if err == nil {
			demand = metrics[0].Value.AsApproximateFloat64()
		}
		return demand, active, err
	}
	demand, active, err := ask(grafana, "good", stage.Viewer)
	require.NoError(t, err)
	require.True(t, active)
	require.Greater(t, demand, 60.0)
	for _, scene := range stage.Silent {
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			_, _, err := ask(grafana, scene, stage.Viewer)
			require.Error(t, err, "an error holds the replicas, a zero would scale in")
			t.Log(err)
		})
	}
	_, _, err = ask(grafana, "good", "wrong")
	require.Error(t, err)
	_, _, err = ask(stage.Gone(t), "good", stage.Viewer)
	require.Error(t, err)
}
