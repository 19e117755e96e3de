// Package promadapter runs the client of prometheus-adapter, which feeds the
// horizontal pod autoscaler, against the running plugin.
package promadapter

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/prometheus-adapter/pkg/client"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

const demand = client.Selector(`sum(foresight_predicted_demand{service="cart"}) by (service)`)

func TestExternalMetric(t *testing.T) {
	grafana := stage.Start(t)
	open := func(grafana stage.Stage, scene, verb, token string) client.Client {
		base, err := url.Parse(grafana.Resources(scene) + "/prom")
		require.NoError(t, err)
		return client.NewClient(http.DefaultClient, base, http.Header{"Authorization": {"Bearer " + token}}, verb)
	}
	now := model.TimeFromUnix(time.Now().Unix())
	for _, verb := range []string{http.MethodGet, http.MethodPost} {
		adapter := open(grafana, "good", verb, stage.Viewer)
		// The adapter's discovery: what series are there for the rule?
		series, err := adapter.Series(context.Background(), model.Interval{Start: now.Add(-time.Hour)}, `foresight_predicted_demand{service!=""}`)
		require.NoError(t, err)
		require.Len(t, series, 1)
		require.Equal(t, "foresight_predicted_demand", series[0].Name)
		require.Equal(t, model.LabelValue("cart"), series[0].Labels["service"])

		found, err := adapter.Query(context.Background(), now, demand)
		require.NoError(t, err)
		require.Equal(t, model.ValVector, found.Type)
		require.Len(t, *found.Vector, 1)
		require.Greater(t, float64((*found.Vector)[0].Value), 60.0)
	}
	// An error leaves the autoscaler where it is; an empty answer would be "not
	// found", and a zero would scale in.
	for _, scene := range stage.Silent {
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			_, err := open(grafana, scene, http.MethodGet, stage.Viewer).Query(context.Background(), now, demand)
			require.Error(t, err)
			t.Log(err)
		})
	}
	_, err := open(grafana, "good", http.MethodGet, "wrong").Query(context.Background(), now, demand)
	require.Error(t, err)
	_, err = open(stage.Gone(t), "good", http.MethodGet, stage.Viewer).Query(context.Background(), now, demand)
	require.Error(t, err)
}
