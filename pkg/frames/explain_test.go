package frames_test

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly/contribution"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
)

// TestGoldenExplain pins the frames of a change that is split by labels, and of the
// list of changes.
func TestGoldenExplain(t *testing.T) {
	split := contribution.Of("route", []contribution.Value{
		{Name: "/pay", Before: contribution.Period{Numerator: 1, Denominator: 100}, Now: contribution.Period{Numerator: 30, Denominator: 100}},
		{Name: "/list", Before: contribution.Period{Numerator: 9, Denominator: 900}, Now: contribution.Period{Numerator: 9, Denominator: 900}},
		{Name: "/new", Now: contribution.Period{Numerator: 1, Denominator: 10}},
	}, true)
	explained := engine.ExplainAnswer{
		Provenance: engine.Provenance{Queries: []string{"sum by (route) (rate(http_requests_failed_total[5m]))"}},
		From:       noon.Add(-time.Hour), Since: noon.Add(-20 * time.Minute), Until: noon, Deviation: 12, Scale: 100, Ratio: true,
		Splits: []contribution.Split{split},
	}
	histogram := explained
	histogram.Histogram, histogram.Limit, histogram.Scale = true, 0.25, 1
	changes := engine.LedgerAnswer{
		Provenance: engine.Provenance{Queries: []string{"max by (namespace, deployment) (kube_deployment_spec_replicas)"}},
		Changes: []engine.LedgerChange{
			{At: noon.Add(-time.Hour), Kind: "deploy", Service: "orders", Text: "orders 2.0 arrived, after 1.9", Source: "version"},
			{At: noon.Add(-time.Minute), End: noon, Kind: "outOfMemory", Service: "orders", Namespace: "shop", Text: "container orders was killed: out of memory", Worse: true, Source: "container_oom_events_total"},
		},
	}
	for name, shape := range map[string]func() (data.Frames, error){
		"explain_panel":       func() (data.Frames, error) { return frames.Explain(explained, query.Panel) },
		"explain_histogram":   func() (data.Frames, error) { return frames.Explain(histogram, query.Panel) },
		"explain_empty":       func() (data.Frames, error) { return frames.Explain(engine.ExplainAnswer{}, query.Panel) },
		"changes_panel":       func() (data.Frames, error) { return frames.Ledger(changes, query.Panel) },
		"changes_annotations": func() (data.Frames, error) { return frames.Ledger(changes, query.Annotations) },
		"changes_empty":       func() (data.Frames, error) { return frames.Ledger(engine.LedgerAnswer{}, query.Panel) },
	} {
		t.Run(name, func(t *testing.T) {
			shaped, err := shape()
			require.NoError(t, err)
			requireSeparateTables(t, shaped)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
	_, err := frames.Explain(explained, query.Alert)
	require.Error(t, err)
	_, err = frames.Ledger(changes, query.Alert)
	require.Error(t, err)
}
