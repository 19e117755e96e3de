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

// shipped are the scaled objects of the shipped file by name, asking the data
// source of a scene.
func shipped(t *testing.T, grafana stage.Stage, scene string) map[string]v1alpha1.ScaledObject {
	t.Helper()
	raw, err := os.ReadFile("../../../provisioning/engines/keda.yaml")
	require.NoError(t, err)
	text := strings.NewReplacer("http://grafana:3000", grafana.Grafana, "uid/foresight/", "uid/"+scene+"/").Replace(string(raw))
	documents := strings.Split(text, "\n---\n")
	var authentication v1alpha1.TriggerAuthentication
	require.NoError(t, yaml.UnmarshalStrict([]byte(documents[0]), &authentication))
	require.Equal(t, "bearerToken", authentication.Spec.SecretTargetRef[0].Parameter)
	found := map[string]v1alpha1.ScaledObject{}
	for _, document := range documents[1:] {
		var scaled v1alpha1.ScaledObject
		require.NoError(t, yaml.UnmarshalStrict([]byte(document[strings.Index(document, "apiVersion"):]), &scaled))
		require.Equal(t, "currentReplicasIfHigher", scaled.Spec.Fallback.Behavior)
		found[scaled.Name] = scaled
	}
	return found
}

// scaler is the scaler of a scaled object's last trigger.
func scaler(scaled v1alpha1.ScaledObject, token string) (scalers.Scaler, error) {
	trigger := scaled.Spec.Triggers[len(scaled.Spec.Triggers)-1]
	config := &scalersconfig.ScalerConfig{
		TriggerMetadata: trigger.Metadata, TriggerType: trigger.Type, TriggerName: trigger.Name,
		AuthParams: map[string]string{"bearerToken": token, "token": token}, GlobalHTTPTimeout: 3 * time.Second,
	}
	if trigger.Type == "metrics-api" {
		return scalers.NewMetricsAPIScaler(config, nil)
	}
	return scalers.NewPrometheusScaler(config)
}

func TestPredictedDemand(t *testing.T) {
	grafana := stage.Start(t)
	for _, name := range []string{"cart", "cart-by-number"} {
		t.Run(name, func(t *testing.T) { predicted(t, grafana, name) })
	}
}

func predicted(t *testing.T, grafana stage.Stage, name string) {
	ask := func(grafana stage.Stage, scene, token string) (demand float64, active bool, err error) {
		scaler, err := scaler(shipped(t, grafana, scene)[name], token)
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
