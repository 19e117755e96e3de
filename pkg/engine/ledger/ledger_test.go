package ledger

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

var (
	nan    = math.NaN()
	noon   = enginetest.Noon
	window = core.Window{From: noon.Add(-time.Hour), To: noon}
)

func line(values ...float64) series.Series {
	return series.Series{Start: noon, Step: time.Minute, Values: values}
}

func TestSteps(t *testing.T) {
	require.Equal(t, []step{{noon.Add(3 * time.Minute), 2, 4}}, steps(line(2, 2, nan, 4, nan, nan, nan, 4), false))
	require.Len(t, steps(line(nan, nan, nan, 1, 1, nan, nan, nan, nan), true), 2, "it comes and goes")
	require.Empty(t, steps(line(nan, 1, 1, nan, 1), true), "a scrape that failed is no change")
	require.Equal(t, []step{{noon.Add(2 * time.Minute), 0, 3}, {noon.Add(9 * time.Minute), 0, 1}}, rises(line(0, 0, 1, 1, 3, 3, 3, 3, 0, 1)))
	require.Len(t, crossings(line(0.1, 0.4, 0.1, 0.3, 0.3, 0.4), 0.25), 1, "a single value is chance")
	require.Empty(t, crossings(line(0.5, 0.5), 0.25), "it was so before")
	require.Len(t, instants(line(float64(noon.Unix()), float64(noon.Unix()), nan, 1e30, -1), noon.Add(-time.Hour), noon.Add(time.Hour)), 1)
}

// TestProbes are PromQL, of kinds that can be asked for.
func TestProbes(t *testing.T) {
	for _, p := range probes {
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(p.promQL)
		require.NoError(t, err, p.promQL)
		require.Contains(t, p.promQL, p.metric)
		require.Contains(t, query.ChangeKinds, p.kind)
		require.NotContains(t, p.describe("it", 1, 2), "$")
		require.NotContains(t, p.text, "%")
		var grouping []string
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			if a, is := node.(*parser.AggregateExpr); is {
				grouping = append(grouping, a.Grouping...)
			}
			return nil
		})
		for _, label := range p.labels {
			require.Contains(t, grouping, label, p.promQL)
		}
	}
}

// cluster has the metrics of a shop whose orders are scaled, restarted and out of
// memory, and whose node goes.
type cluster struct{ enginetest.Metrics }

func (cluster) LabelValues(context.Context, string, []string, time.Time, time.Time) ([]string, []string, error) {
	return []string{"kube_deployment_spec_replicas", "kube_pod_container_status_restarts_total", "container_oom_events_total", "kube_node_status_condition", "kube_configmap_metadata_resource_version"}, nil, nil
}

func newCluster() cluster {
	after := func(at time.Time, minutes int, before, now float64) []float64 {
		if at.Before(noon.Add(-time.Duration(minutes) * time.Minute)) {
			return []float64{before}
		}
		return []float64{now}
	}
	return cluster{enginetest.Metrics{Value: func(promQL string, at time.Time) []series.Series {
		of := func(values []float64, labels series.Labels) []series.Series {
			return []series.Series{{Labels: labels, Values: values}}
		}
		switch {
		case strings.Contains(promQL, "spec_replicas"):
			return append(of(after(at, 40, 3, 6), series.Labels{"namespace": "shop", "deployment": "orders"}),
				series.Series{Labels: series.Labels{"namespace": "shop", "deployment": "payment"}, Values: []float64{2}})
		case strings.Contains(promQL, "restarts_total"):
			return of(after(at, 10, 7, 9), series.Labels{"namespace": "shop", "pod": "orders-7d9f-x", "container": "orders"})
		case strings.Contains(promQL, "oom_events"):
			return of(after(at, 11, 0, 1), series.Labels{"namespace": "shop", "pod": "orders-7d9f-x", "container": "orders"})
		case strings.Contains(promQL, "node_status"):
			return of(after(at, 30, 1, 0), series.Labels{"node": "n1"})
		case strings.Contains(promQL, "configmap"):
			return of(after(at, 20, 100, 101), series.Labels{"namespace": "shop", "configmap": "payment-settings"})
		}
		return nil
	}}}
}

type incidents struct{ all []annotation.Incident }

func (i incidents) Read(context.Context, time.Time, time.Time) ([]annotation.Incident, []string, error) {
	return i.all, nil, nil
}

func TestChanges(t *testing.T) {
	k := Keeper{Sources: core.Sources{Metrics: newCluster(), Incidents: incidents{[]annotation.Incident{{Service: "payment", Start: noon.Add(-5 * time.Minute)}}}, Now: func() time.Time { return noon }}}
	k.Deploys.Sources = k.Sources
	texts := func(q query.LedgerChanges) (all []string) {
		found, err := k.Changes(t.Context(), q.WithDefaults(), window)
		require.NoError(t, err)
		require.True(t, slices.IsSortedFunc(found.Changes, func(a, b Change) int { return a.At.Compare(b.At) }))
		for _, c := range found.Changes {
			require.NotEmpty(t, c.Source)
			all = append(all, c.Kind+": "+c.Text)
		}
		return all
	}
	require.Equal(t, []string{
		"replicas: replicas of orders from 3 to 6", "node: node n1 is ready: 0 (1 is yes)", "config: config map payment-settings changed",
		"outOfMemory: container orders, orders-7d9f-x was killed: out of memory", "restart: container orders, orders-7d9f-x restarted", "incident: incident of payment",
	}, texts(query.LedgerChanges{}))
	require.Equal(t, []string{"node: node n1 is ready: 0 (1 is yes)", "config: config map payment-settings changed", "incident: incident of payment"}, texts(query.LedgerChanges{Service: "payment"}))
	require.Equal(t, []string{"restart: container orders, orders-7d9f-x restarted"}, texts(query.LedgerChanges{Kinds: []string{"restart"}}))

	_, err := Keeper{Sources: core.Sources{Now: k.Now}}.Changes(t.Context(), query.LedgerChanges{}, window)
	require.Error(t, err)
}

type announced struct{ all []annotation.Change }

func (a announced) Read(context.Context, time.Time, time.Time) ([]annotation.Change, []string, error) {
	return a.all, nil, nil
}

// TestAnnouncedChanges: feature flags, migrations and incidents of providers come as
// annotations.
func TestAnnouncedChanges(t *testing.T) {
	flag, is := annotation.ReadChange(annotation.Annotation{Start: noon.Add(-time.Minute), Text: "checkout-v2 on for 50 %", Tags: []string{"change", "kind:flag", "service_name:orders"}})
	require.True(t, is)
	k := Keeper{Sources: core.Sources{Metrics: newCluster(), Announced: announced{[]annotation.Change{flag}}, Now: func() time.Time { return noon }}}
	k.Deploys.Sources = k.Sources
	found, err := k.Changes(t.Context(), query.LedgerChanges{Kinds: []string{"announced"}}, window)
	require.NoError(t, err)
	require.Len(t, found.Changes, 1)
	require.Equal(t, Change{At: flag.Start, Kind: "announced", Service: "orders", Text: "flag: checkout-v2 on for 50 %", Source: "annotation"}, found.Changes[0])
}

func TestAbout(t *testing.T) {
	for _, c := range []struct {
		subject, service string
		want             bool
	}{
		{"orders", "orders", true}, {"orders-settings", "orders", true}, {"ordersink", "orders", false}, {"", "orders", true}, {"payment", "", true}, {"payment", "orders", false},
	} {
		require.Equal(t, c.want, About(c.subject, c.service), c)
	}
}
