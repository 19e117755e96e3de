package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// What sizing reads beside the signals of a service.
var (
	// replicasRunning is how many instances there are, from their own metrics.
	replicasRunning = signals.Probe{PromQL: signals.FirstOf(
		[]string{"process_cpu_utilization_ratio", "process_cpu_time_seconds_total", "process_cpu_seconds_total", "process_cpu_usage"},
		func(metric string) string { return "count(count by (instance) (" + metric + "))" },
	) + " or count(count by (namespace, pod) (" + inContainers(wellknown.ContainerCPU) + "))"}
	// processorUse is the share of its processors that an instance uses, on
	// average over the instances.
	processorUse = signals.Probe{PromQL: signals.FirstOf(wellknown.CPUShares, func(gauge string) string {
		return "avg(avg_over_time(" + gauge + "[1m]))"
	}) + " or sum(rate(" + inContainers(wellknown.ContainerCPU) + "[1m])) / sum(" + limitOf("cpu") + ")"}
	// memoryUse is the share of its memory limit that an instance uses, on average.
	memoryUse = signals.Probe{PromQL: "sum(" + inContainers(wellknown.ContainerMemory) + ") / sum(" + limitOf("memory") + ")" +
		" or sum(" + wellknown.HeapUsed + ") / sum(" + wellknown.HeapLimit + ")"}
	// workersUse is the share of its threads or workers that handle requests, on
	// average over the instances: the concurrency beyond which requests queue.
	workersUse = signals.Probe{PromQL: workersBusy()}

	// descriptorsUse is the share of the file descriptors that an instance has open.
	descriptorsUse = signals.Probe{PromQL: "sum(process_open_fds) / (sum(process_max_fds) > 0)" +
		" or sum(process_files_open_files) / (sum(process_files_max_files) > 0)"}

	// Of each pool: connections in use, on average over the instances and at
	// most, the most there may be, connections obtained per second, and not
	// obtained in time.
	poolUsed     = byPool("avg", func(p wellknown.Pool) string { return "avg_over_time(" + p.Used + "[1m])" })
	poolPeak     = byPool("max", func(p wellknown.Pool) string { return "max_over_time(" + p.Used + "[1m])" })
	poolMost     = byPool("avg", func(p wellknown.Pool) string { return p.Max })
	poolTaken    = byPool("avg", func(p wellknown.Pool) string { return "rate(" + p.Wait.Count() + "[1m])" })
	poolTimeouts = byPool("avg", func(p wellknown.Pool) string { return "rate(" + p.Timeouts + "[1m])" })

	cacheHits   = signals.Probe{PromQL: signals.FirstOf(wellknown.Caches, func(c wellknown.Cache) string { return "sum(rate(" + c.Hits + "[1m]))" })}
	cacheMisses = signals.Probe{PromQL: signals.FirstOf(wellknown.Caches, func(c wellknown.Cache) string { return "sum(rate(" + c.Misses + "[1m]))" })}
)

func byPool(aggregation string, promQL func(wellknown.Pool) string) signals.Probe {
	return signals.Probe{PromQL: signals.OfPools(func(p wellknown.Pool) string {
		return aggregation + " by (" + p.Label + ") (" + promQL(p) + ")"
	})}
}

// inContainers leaves out cAdvisor's sums over the containers of a pod.
func inContainers(metric string) string { return metric + `{container!=""}` }

func limitOf(resource string) string {
	return wellknown.ResourceLimits + `{resource="` + resource + `"}`
}

// poolOf is the name of the pool that the labels name.
func poolOf(labels series.Labels) string {
	for _, pool := range wellknown.Pools {
		if name := labels[pool.Label]; name != "" {
			return name
		}
	}
	return ""
}

// replicasOf is the number of replicas of a service: of its deployment in
// Kubernetes, else of the instances that send metrics.
func replicasOf(service string, rate time.Duration) string {
	return fmt.Sprintf("max(%s{deployment=%q}) or max(%s{statefulset=%q}) or %s", wellknown.DeploymentReady, service,
		wellknown.StatefulSetReady, service, replicasRunning.For(service, rate))
}

// reading is one expression over some time.
type reading struct {
	promQL string
	back   time.Duration // before the end of the window
	step   time.Duration
}

// readings are what was found of each expression, in the order of their labels.
// All end at the same instant.
func (e Advisor) readings(ctx context.Context, queried map[string]reading, to time.Time, basis *core.Provenance) (map[string][]series.Series, error) {
	type result struct {
		series []series.Series
		basis  core.Provenance
	}
	found := make(map[string]*result, len(queried))
	group, ctx := parallel.WithContext(ctx)
	for name, r := range queried {
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

func workersBusy() string {
	var shares []string
	for _, w := range wellknown.WorkerPools {
		shares = append(shares, "sum(avg_over_time("+w.Busy+"[1m])) / sum("+w.Max+")")
	}
	return strings.Join(shares, " or ")
}
