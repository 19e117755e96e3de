package objectives_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/objectives"
)

const described = `
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout}
spec:
  service: shop
  indicatorRef: served
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - {target: 0.99}
    - {displayName: strict, targetPercent: 99.9}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: served}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: 'sum(requests_total{code!~"5.."}) or vector(0)'}}}
    total: {metricSource: {spec: {query: 'sum(rate(requests_total[{{.window}}]))'}}}
---
kind: SLO
metadata: {name: monthly}
spec:
  indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {query: a}}}, total: {metricSource: {spec: {query: b}}}}}}
  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: x}}]
  objectives: [{target: 0.9}]
---
kind: SLO
metadata: {name: slow}
spec:
  indicator: {spec: {thresholdMetric: {metricSource: {spec: {query: a}}}}}
  objectives: [{target: 0.9}]
---
name: kubelet
query:
  type: ratio
  ratio:
    successMetric: {prometheusMetric: 'kubelet_http_requests_total{status!~"5.."}'}
    totalMetric: kubelet_http_requests_total
    groupByLabels: [job]
objectives: [{value: 0.995, window: 30d}]
labels: [{key: service_name, value: kubelet}]
---
slos:
  - name: free
    query: {type: freeform, freeform: {query: 'good / total'}}
    objectives: [{value: 0.95, window: 7d}]
  - name: none
    query: {type: histogram}
`

func TestRead(t *testing.T) {
	found, notices, err := objectives.Read(described)
	require.NoError(t, err)
	rate := func(selector string) string { return "sum(rate(" + selector + "[$__rate_interval]))" }
	good, total := rate(`requests_total{code!~"5.."}`)+" or vector(0)", rate("requests_total")
	month := 30 * 24 * time.Hour
	require.Equal(t, []objectives.Setting{
		{Name: "checkout 0.99", Service: "shop", Target: 0.99, Window: 28 * 24 * time.Hour, Good: good, Total: total, Source: "OpenSLO"},
		{Name: "checkout strict", Service: "shop", Target: 0.999, Window: 28 * 24 * time.Hour, Good: good, Total: total, Source: "OpenSLO"},
		{
			Name: "kubelet", Service: "kubelet", Target: 0.995, Window: month, Source: "Grafana SLO",
			Good: `sum by (job) (rate(kubelet_http_requests_total{status!~"5.."}[$__rate_interval]))`, Total: `sum by (job) (rate(kubelet_http_requests_total[$__rate_interval]))`,
		},
		{Name: "free", Target: 0.95, Window: 7 * 24 * time.Hour, Errors: "1 - (good / total)", Source: "Grafana SLO"},
	}, found)
	require.Len(t, notices, 3)
	require.Contains(t, notices[0], `"monthly" in objectivesYaml is not used: its window follows the calendar`)
	require.Contains(t, notices[1], `"slow"`)
	require.Contains(t, notices[2], `"none"`)
	require.NoError(t, objectives.Check(found))
	require.ErrorContains(t, objectives.Check(append(found, objectives.Setting{Name: "free", Target: 0.9, Window: month})), "defined twice")
	_, _, err = objectives.Read("a: [")
	require.Error(t, err)
	found, notices, err = objectives.Read("")
	require.NoError(t, err)
	require.Empty(t, append(notices, make([]string, len(found))...))
}
