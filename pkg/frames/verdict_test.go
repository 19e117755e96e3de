package frames_test

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

func someVerdict(candidateBad float64) engine.VerdictAnswer {
	trial := canary.Canary{Watched: 5 * time.Minute, Traces: diff.NoChange, Resources: []canary.Resource{{Name: "processor", Baseline: 0.4, Candidate: 0.97}}, Signals: []canary.Signal{{
		Name: "errors", Critical: true, Margin: 0.001, Periods: []canary.Period{{
			Baseline: canary.Tally{Bad: 20, Requests: 10000}, Candidate: canary.Tally{Bad: candidateBad, Requests: 1000}}},
	}}}
	return engine.VerdictAnswer{
		Provenance: engine.Provenance{Queries: []string{"sum by (service_version) (increase(calls[60s]))"}},
		Service:    "orders", BaselineVersion: "1", CandidateVersion: "2", Traces: diff.NoChange,
		Judgement: trial.Judge(), Steps: canary.Steps(22000, 0.002, 100),
	}
}

func TestVerdictFrames(t *testing.T) {
	for name, test := range map[string]struct {
		bad    float64
		format query.Format
	}{
		"verdict_panel":           {100, query.Panel},
		"verdict_alert":           {100, query.Alert},
		"verdict_alert_undecided": {2, query.Alert},
	} {
		t.Run(name, func(t *testing.T) {
			shaped, err := frames.Verdict(someVerdict(test.bad), test.format)
			require.NoError(t, err)
			requireSeparateTables(t, shaped)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
		})
	}
	_, err := frames.Verdict(someVerdict(0), query.Annotations)
	require.Error(t, err)
}
