package ops

import (
	"context"
	"testing"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/promqltest"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func FuzzNamesInPromQL(f *testing.F) {
	ctx := context.Background()
	record := func(run func(Advisor, traces.Comparison)) promqltest.Producer {
		return func(n promqltest.Names) []string {
			server := &promqltest.Recorder{Known: []string{versionedMetrics[len(versionedMetrics)-1].bucket}}
			run(Advisor{Sources: core.Sources{Metrics: server}}, traces.Comparison{
				Baseline:  upstream.TraceFilter{Service: n.Service, Version: n.Other, Start: time.Unix(0, 0), End: time.Unix(60, 0)},
				Candidate: upstream.TraceFilter{Service: n.Service, Version: n.Version, Operation: n.Operation, Start: time.Unix(60, 0), End: time.Unix(120, 0)},
			})
			return server.Queries()
		}
	}
	producers := []promqltest.Producer{
		record(func(a Advisor, c traces.Comparison) {
			_, _, matcher, _, _ := a.versionedMetric(ctx, c)
			_, _ = a.Metrics.QueryRange(ctx, "x{"+matcher+"}", upstream.Range{})
		}),
		record(func(a Advisor, c traces.Comparison) { _, _ = a.versionResources(ctx, c, &core.Provenance{}) }),
		func(n promqltest.Names) []string { return []string{replicasOf(n.Service, time.Minute)} },
	}
	for _, p := range []signals.Probe{processorUse, poolUsed, poolPeak, poolMost, poolTaken, poolTimeouts, cacheHits, cacheMisses} {
		producers = append(producers, func(n promqltest.Names) []string { return []string{p.For(n.Service, time.Minute)} })
	}
	promqltest.FuzzNames(f, producers, 3, 0)
}
