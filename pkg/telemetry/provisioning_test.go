package telemetry

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// described are the metrics of this package by their names, each with its labels.
func described(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	name := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	for _, c := range []prometheus.Collector{queries, stages, fetches, fetchQueue, retries, breakerOpens, cacheRequests, streams, streamUpdates, apiRequests, deliveries} {
		descriptions := make(chan *prometheus.Desc, 1)
		c.Describe(descriptions)
		found := name.FindStringSubmatch((<-descriptions).String())
		require.NotNil(t, found)
		all[found[1]] = found[2]
	}
	return all
}

// check parses PromQL, and finds each of its metrics and labels in this package.
func check(t *testing.T, expr string, metrics map[string]string) {
	t.Helper()
	expr = strings.NewReplacer("$__rate_interval", "5m", "$job", ".*").Replace(expr)
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	for _, matchers := range parser.ExtractSelectors(parsed) {
		var labels string
		for _, m := range matchers {
			if m.Name == "__name__" {
				var known bool
				base := m.Value
				for _, suffix := range []string{"_bucket", "_count", "_sum"} {
					base = strings.TrimSuffix(base, suffix)
				}
				labels, known = metrics[base]
				require.True(t, known || strings.HasPrefix(base, "process_"), "%s is not a metric of the plugin", m.Value)
			}
		}
		for _, m := range matchers {
			if m.Name != "__name__" && m.Name != "job" {
				require.Contains(t, strings.Split(labels, ","), m.Name, expr)
			}
		}
	}
}

func TestTheDashboardAsksForMetricsThatExist(t *testing.T) {
	raw, err := os.ReadFile("../../provisioning/dashboards/foresight-self.json")
	require.NoError(t, err)
	var dashboard struct {
		UID    string
		Panels []struct {
			Title, Description string
			Targets            []struct {
				Expr       string
				Datasource struct{ UID string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(raw, &dashboard))
	require.Equal(t, "foresight-self", dashboard.UID)
	metrics := described(t)
	var all strings.Builder
	for _, panel := range dashboard.Panels {
		require.NotEmpty(t, panel.Description, panel.Title)
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			require.Equal(t, "${datasource}", target.Datasource.UID)
			check(t, target.Expr, metrics)
			all.WriteString(target.Expr)
		}
	}
	for name := range metrics {
		require.Contains(t, all.String(), name, "no panel shows it")
	}
}

func TestTheRulesAskForMetricsThatExist(t *testing.T) {
	raw, err := os.ReadFile("../../provisioning/alerting/self.yaml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct {
				UID          string
				NoDataState  string `yaml:"noDataState"`
				ExecErrState string `yaml:"execErrState"`
				Data         []struct {
					DatasourceUID string `yaml:"datasourceUid"`
					Model         struct{ Expr string }
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	require.Len(t, file.Groups, 1)
	require.NotEmpty(t, file.Groups[0].Rules)
	for _, rule := range file.Groups[0].Rules {
		require.Equal(t, "OK", rule.NoDataState, "%s: without a scrape it stays quiet", rule.UID)
		require.Equal(t, "KeepLast", rule.ExecErrState, rule.UID)
		require.Equal(t, "prometheus", rule.Data[0].DatasourceUID)
		check(t, rule.Data[0].Model.Expr, described(t))
	}
}
