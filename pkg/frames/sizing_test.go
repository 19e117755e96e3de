package frames_test

import (
	"math"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/stats"
)

func someSizes() engine.SizingAnswer {
	demand := sizing.Demand{Now: 300, Expected: 380, Peak: 400, Seen: 500, Lead: 10 * time.Minute, Quantile: 0.95}
	capacity := stats.Interval{Estimate: 100, Lower: 90, Upper: 110}
	return engine.SizingAnswer{
		Provenance: engine.Provenance{Queries: []string{"sum(rate(calls[300s]))"}, Notices: []string{"Something was left out."}},
		Service:    "orders", At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC),
		Recommendations: []sizing.Recommendation{
			sizing.Replicas{Service: "orders", Demand: demand, Current: 5, Max: 5,
				Resources: []sizing.Resource{{Name: "processor", PerReplica: capacity, Target: 0.7}}}.Recommend(),
			sizing.Pool{Name: "orders-db", Asked: 100, Growth: 1.5, Hold: stats.Interval{Estimate: 0.04, Lower: 0.03, Upper: 0.06},
				Current: 5, Instances: 4, Patience: 0.05, Waiting: 0.01}.Recommend(),
			sizing.Pool{Name: "other-db", Current: math.NaN()}.Recommend(),
			sizing.Concurrency{Service: "orders", Demand: demand, Slow: stats.Interval{Estimate: 0.2, Lower: 0.1, Upper: 0.3}, Current: math.NaN()}.Recommend(),
		},
	}
}

func TestSizingFrames(t *testing.T) {
	for name, format := range map[string]query.Format{"sizing_panel": query.Panel, "sizing_alert": query.Alert} {
		t.Run(name, func(t *testing.T) {
			shaped, err := frames.Sizing(someSizes(), format)
			require.NoError(t, err)
			requireSeparateTables(t, shaped)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
	_, err := frames.Sizing(someSizes(), query.Annotations)
	require.Error(t, err)
}
