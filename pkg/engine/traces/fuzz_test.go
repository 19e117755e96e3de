package traces

import (
	"context"
	"testing"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/promqltest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func FuzzNamesInPromQL(f *testing.F) {
	record := func(run func(Comparer, upstream.TraceFilter)) promqltest.Producer {
		return func(n promqltest.Names) []string {
			server := &promqltest.Recorder{}
			run(Comparer{Sources: core.Sources{Metrics: server}}, upstream.TraceFilter{
				Service: n.Service, Version: n.Version, Operation: n.Operation, Start: time.Unix(60, 0), End: time.Unix(120, 0),
			})
			return server.Queries()
		}
	}
	promqltest.FuzzNames(f, []promqltest.Producer{
		record(func(c Comparer, side upstream.TraceFilter) { _, _ = c.exemplary(context.Background(), side) }),
		record(func(c Comparer, side upstream.TraceFilter) { _, _ = c.traffic(context.Background(), side) }),
	}, 2, 0)
}
