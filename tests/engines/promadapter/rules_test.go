package promadapter

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/prometheus-adapter/pkg/client"
	"sigs.k8s.io/prometheus-adapter/pkg/config"
	"sigs.k8s.io/prometheus-adapter/pkg/naming"

	"github.com/foresight-observability/foresight/tests/engines/stage"
)

// autoscaler is what matters here of the file's second document.
type autoscaler struct {
	Spec struct {
		Metrics []struct {
			Type     string
			External struct {
				Metric struct {
					Name     string
					Selector struct {
						MatchLabels map[string]string `yaml:"matchLabels"`
					}
				}
			}
		}
	}
}

// TestShippedRules follows the file as the adapter does: from discovery by the
// rule to the value of the metric that the autoscaler names.
func TestShippedRules(t *testing.T) {
	raw, err := os.ReadFile("../../../provisioning/engines/prometheus-adapter.yaml")
	require.NoError(t, err)
	var settings struct{ Data map[string]string }
	var scaler autoscaler
	documents := yaml.NewDecoder(strings.NewReader(string(raw)))
	require.NoError(t, documents.Decode(&settings))
	require.NoError(t, documents.Decode(&scaler))

	rules, err := config.FromYAML([]byte(settings.Data["config.yaml"]))
	require.NoError(t, err)
	namers, err := naming.NamersFromConfig(rules.ExternalRules, nil)
	require.NoError(t, err)
	require.Len(t, namers, 1)
	namer := namers[0]

	base, err := url.Parse(stage.Start(t).Resources("good") + "/prom")
	require.NoError(t, err)
	adapter := client.NewClient(http.DefaultClient, base, http.Header{"Authorization": {"Bearer " + stage.Viewer}}, http.MethodGet)
	now := model.TimeFromUnix(time.Now().Unix())
	found, err := adapter.Series(context.Background(), model.Interval{Start: now.Add(-time.Hour)}, namer.Selector())
	require.NoError(t, err)
	series := namer.FilterSeries(found)
	require.NotEmpty(t, series)
	name, err := namer.MetricNameForSeries(series[0])
	require.NoError(t, err)

	metric := scaler.Spec.Metrics[1].External.Metric
	require.Equal(t, metric.Name, name)
	query, err := namer.QueryForExternalSeries(name, "shop", labels.SelectorFromSet(metric.Selector.MatchLabels))
	require.NoError(t, err)
	value, err := adapter.Query(context.Background(), now, query)
	require.NoError(t, err, query)
	require.Len(t, *value.Vector, 1)
	require.Greater(t, float64((*value.Vector)[0].Value), 60.0)
}
