package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/series"
)

// What sizing reads beside the signals of a service, under the names of
// OpenTelemetry's semantic conventions, old and new, of HikariCP and
// Micrometer, of kube-state-metrics and cAdvisor, and of the exporters of Redis.
// In the PromQL $service and $range stand as in probe.

var (
	// replicasRunning is how many instances there are, from their own metrics.
	replicasRunning = signals.Probe{PromQL: strings.Join([]string{
		"count(count by (instance) (process_cpu_utilization_ratio{$service}))",
		"count(count by (instance) (process_cpu_time_seconds_total{$service}))",
		"count(count by (instance) (process_cpu_seconds_total{$service}))",
		"count(count by (instance) (process_cpu_usage{$service}))",
		`count(count by (namespace, pod) (container_cpu_usage_seconds_total{$service, container!=""}))`,
	}, " or ")}
	// processorUse is the share of its processors that an instance uses, on
	// average over the instances.
	processorUse = signals.Probe{PromQL: strings.Join([]string{
		"avg(avg_over_time(process_cpu_utilization_ratio{$service}[$range]))",
		"avg(avg_over_time(jvm_cpu_recent_utilization_ratio{$service}[$range]))",
		"avg(avg_over_time(process_cpu_usage{$service}[$range]))",
		`sum(rate(container_cpu_usage_seconds_total{$service, container!=""}[$range])) / sum(kube_pod_container_resource_limits{resource="cpu", $service})`,
	}, " or ")}
	// memoryUse is the share of its memory limit that an instance uses, on average.
	memoryUse = signals.Probe{PromQL: strings.Join([]string{
		`sum(container_memory_working_set_bytes{$service, container!=""}) / sum(kube_pod_container_resource_limits{resource="memory", $service})`,
		`sum(jvm_memory_used_bytes{$service, jvm_memory_type="heap"}) / sum(jvm_memory_limit_bytes{$service, jvm_memory_type="heap"})`,
	}, " or ")}

	// Of each pool: connections in use, on average over the instances and at
	// most, the most there may be, connections obtained per second, and not
	// obtained in time.
	poolUsed = signals.Probe{PromQL: strings.Join([]string{
		`avg by (db_client_connection_pool_name) (avg_over_time(db_client_connection_count{db_client_connection_state="used", $service}[$range]))`,
		`avg by (pool_name) (avg_over_time(db_client_connections_usage{state="used", $service}[$range]))`,
		"avg by (pool) (avg_over_time(hikaricp_connections_active{$service}[$range]))",
	}, " or ")}
	poolPeak = signals.Probe{PromQL: strings.Join([]string{
		`max by (db_client_connection_pool_name) (max_over_time(db_client_connection_count{db_client_connection_state="used", $service}[$range]))`,
		`max by (pool_name) (max_over_time(db_client_connections_usage{state="used", $service}[$range]))`,
		"max by (pool) (max_over_time(hikaricp_connections_active{$service}[$range]))",
	}, " or ")}
	poolMost = signals.Probe{PromQL: strings.Join([]string{
		"avg by (db_client_connection_pool_name) (db_client_connection_max{$service})",
		"avg by (pool_name) (db_client_connections_max{$service})",
		"avg by (pool) (hikaricp_connections_max{$service})",
	}, " or ")}
	poolTaken = signals.Probe{PromQL: strings.Join([]string{
		"avg by (db_client_connection_pool_name) (rate(db_client_connection_wait_time_seconds_count{$service}[$range]))",
		"avg by (pool_name) (rate(db_client_connections_wait_time_milliseconds_count{$service}[$range]))",
		"avg by (pool) (rate(hikaricp_connections_acquire_seconds_count{$service}[$range]))",
	}, " or ")}
	poolTimeouts = signals.Probe{PromQL: strings.Join([]string{
		"avg by (db_client_connection_pool_name) (rate(db_client_connection_timeouts_total{$service}[$range]))",
		"avg by (pool_name) (rate(db_client_connections_timeouts_total{$service}[$range]))",
		"avg by (pool) (rate(hikaricp_connections_timeout_total{$service}[$range]))",
	}, " or ")}

	cacheHits = signals.Probe{PromQL: strings.Join([]string{
		"sum(rate(redis_keyspace_hits_total{$service}[$range]))",
		`sum(rate(memcached_commands_total{command="get", status="hit", $service}[$range]))`,
		`sum(rate(cache_gets_total{result="hit", $service}[$range]))`,
	}, " or ")}
	cacheMisses = signals.Probe{PromQL: strings.Join([]string{
		"sum(rate(redis_keyspace_misses_total{$service}[$range]))",
		`sum(rate(memcached_commands_total{command="get", status="miss", $service}[$range]))`,
		`sum(rate(cache_gets_total{result="miss", $service}[$range]))`,
	}, " or ")}
)

// poolLabels name a pool.
var poolLabels = []string{"db_client_connection_pool_name", "pool_name", "pool"}

func poolOf(labels series.Labels) string {
	for _, name := range poolLabels {
		if labels[name] != "" {
			return labels[name]
		}
	}
	return ""
}

// replicasOf is the number of replicas of a service: of its deployment in
// Kubernetes, else of the instances that send metrics.
func replicasOf(service string, rate time.Duration) string {
	return fmt.Sprintf("max(kube_deployment_status_replicas_ready{deployment=%q}) or max(kube_statefulset_status_replicas_ready{statefulset=%q}) or %s",
		service, service, replicasRunning.For(service, rate))
}

// reading is one expression over some time.
type reading struct {
	promQL string
	back   time.Duration // before the end of the window
	step   time.Duration
}

// readings are what was found of each expression, in the order of their labels.
// All end at the same instant.
func (e Advisor) readings(ctx context.Context, asked map[string]reading, to time.Time, basis *core.Provenance) (map[string][]series.Series, error) {
	type result struct {
		series []series.Series
		basis  core.Provenance
	}
	found := make(map[string]*result, len(asked))
	group, ctx := errgroup.WithContext(ctx)
	for name, r := range asked {
		one := &result{}
		found[name] = one
		group.Go(func() error {
			recent := core.Window{From: to.Add(-min(r.back, sizingLook)), To: to, Step: r.step}
			g := core.NewGrid(recent, max(0, r.back-sizingLook), 0, e.Now())
			histories, err := e.History(ctx, r.promQL, g, &one.basis)
			one.series = core.AlignAll(histories)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	sets := make(map[string][]series.Series, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if one := found[name]; len(one.series) > 0 {
			sets[name] = one.series
			basis.Queries = append(basis.Queries, one.basis.Queries...)
			basis.AddNotice(one.basis.Notices...)
		}
	}
	return sets, nil
}
