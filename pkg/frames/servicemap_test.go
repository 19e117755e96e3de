package frames_test

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/topology"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// TestGoldenServiceMap pins the frames of the node graph.
func TestGoldenServiceMap(t *testing.T) {
	for name, shape := range map[string]struct {
		answer engine.ServiceMapAnswer
		format query.Format
	}{
		"servicemap_panel":       {someMap(), query.Panel},
		"servicemap_panel_empty": {engine.ServiceMapAnswer{}, query.Panel},
		"servicemap_alert":       {someMap(), query.Alert},
		"servicemap_alert_empty": {engine.ServiceMapAnswer{}, query.Alert},
	} {
		t.Run(name, func(t *testing.T) {
			shaped, err := frames.ServiceMap(shape.answer, shape.format)
			require.NoError(t, err)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
	_, err := frames.ServiceMap(someMap(), query.Annotations)
	require.Error(t, err)
}

// TestNodeGraphRules checks what Grafana's panel relies on, over the map of a
// system that changed: rings are whole, and edges join nodes.
func TestNodeGraphRules(t *testing.T) {
	drawn := topology.Draw(tracetest.Shop{Seed: 2, Traces: 200, LostCache: true, PaymentFails: 0.3}.Generate(),
		tracetest.Shop{Seed: 1, Traces: 200}.Generate(), topology.Options{})
	shaped, err := frames.ServiceMap(engine.ServiceMapAnswer{Map: drawn, Compared: true}, query.Panel)
	require.NoError(t, err)
	require.Len(t, shaped, 2)
	nodes, edges := shaped[0], shaped[1]
	require.Equal(t, data.VisType("nodeGraph"), nodes.Meta.PreferredVisualization)
	require.Equal(t, data.VisType("nodeGraph"), edges.Meta.PreferredVisualization)
	ids := map[string]bool{}
	for row := range nodes.Rows() {
		ring := 0.0
		for _, field := range nodes.Fields {
			if len(field.Name) > 5 && field.Name[:5] == "arc__" {
				ring += field.At(row).(float64)
				require.Contains(t, field.Config.Color, "fixedColor")
				require.NotEmpty(t, field.Config.DisplayName)
			}
		}
		require.InDelta(t, 1, ring, 1e-9)
		ids[nodes.Fields[0].At(row).(string)] = true
	}
	require.Len(t, ids, len(drawn.Nodes), "ids are unique")
	for row := range edges.Rows() {
		require.True(t, ids[edges.Fields[1].At(row).(string)] && ids[edges.Fields[2].At(row).(string)])
	}
}

func someMap() engine.ServiceMapAnswer {
	load := func(calls int, errors float64, p50 float64) topology.Load {
		return topology.Load{Traces: 100, Calls: calls, CallsPerTrace: float64(calls) / 100,
			Errors: stats.Interval{Estimate: errors, Lower: errors / 2, Upper: errors * 2}, Retries: errors / 4,
			Client: topology.Quantiles{Count: calls, P50: p50, P95: 3 * p50}, Own: topology.Quantiles{Count: 100, P50: p50, P95: p50}}
	}
	past := load(90, 0.01, 5e6)
	return engine.ServiceMapAnswer{
		Provenance: engine.Provenance{Queries: []string{"candidate: { }"}, Notices: []string{"3 of 3 edges agree with Tempo's service-graph metrics within 20 % and the error of the sample."}},
		Compared:   true, Start: noon, End: noon.Add(time.Minute),
		NodeRates:   map[string]float64{"web": 12, "database:postgresql:shop": 0.02},
		EdgeRates:   map[string]float64{"web → database:postgresql:shop": 24, "web → cart": 3},
		MetricRates: map[string]float64{"web → cart": 3.1},
		Map: topology.Map{Traces: 100, BaselineTraces: 100, Nodes: []topology.Node{
			{ID: "web", Name: "web", Type: topology.Service, Entries: 100, Now: load(100, 0.02, 40e6), Before: &past, Versions: []topology.Version{{Name: "1.5.0", Calls: 90}, {Name: "1.4.0", Calls: 10}}},
			{ID: "cart", Name: "cart", Type: topology.Service, Changes: []topology.Change{topology.Gone}, Before: &past},
			{ID: "database:postgresql:shop", Name: "shop", System: "postgresql", Type: topology.Database, Changes: []topology.Change{topology.MoreErrors, topology.Slower}, Now: load(200, 0.25, 8e5), Before: &past},
		}, Edges: []topology.Edge{
			{ID: "web → cart", From: "web", To: "cart", Changes: []topology.Change{topology.Gone}, Before: &past, FirstSeen: noon, LastSeen: noon,
				CallerVersions: []topology.Version{{Name: "1.4.0", Calls: 10}}, Operations: []string{"GET /cart"}},
			{ID: "web → database:postgresql:shop", From: "web", To: "database:postgresql:shop", Changes: []topology.Change{topology.MoreErrors}, Now: load(200, 0.25, 8e5),
				Before: &past, FirstSeen: noon, LastSeen: noon.Add(time.Minute), Unpaired: 150, Examples: []trace.TraceID{{15: 7}}},
		}},
	}
}
