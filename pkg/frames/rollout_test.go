package frames_test

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/rollout"
)

func someRollout() engine.RolloutAnswer {
	steps := []rollout.Step{
		{Weight: 0.01, Pause: 5 * time.Minute, Requests: 600, Power: 0.05, Harmed: 12},
		{Weight: 0.05, Pause: 90 * time.Minute, Requests: 54000, Power: 0.98, Harmed: 40},
	}
	return engine.RolloutAnswer{
		Provenance: engine.Provenance{Queries: []string{"sum(rate(requests_total[5m]))"}},
		Service:    "orders", At: noon, Signal: "errors", Bad: 0.01, Ratio: 3, Rate: 200, Dispersion: 1.2, Pods: 10,
		Plan: rollout.Plan{Steps: steps, Interval: time.Minute, Found: 0.98, InTime: 0.96, HarmedAtMost: 88.5},
		Even: rollout.Plan{Steps: steps[:1], Interval: 5 * time.Minute},
	}
}

func TestRolloutFrames(t *testing.T) {
	unkept := someRollout()
	unkept.Plan = rollout.Plan{Interval: time.Minute, Relax: []rollout.Relaxation{{Constraint: rollout.MaxHarmed, Given: 100, Needed: 250}, {Constraint: rollout.MaxDuration, Given: 3600, Needed: nan}}}
	unkept.Even = rollout.Plan{}
	for name, answer := range map[string]engine.RolloutAnswer{"rollout_panel": someRollout(), "rollout_unkept": unkept} {
		shaped, err := frames.Rollout(answer, query.Panel)
		require.NoError(t, err)
		requireSeparateTables(t, shaped)
		experimental.CheckGoldenJSONResponse(t, "testdata", name, &backend.DataResponse{Frames: shaped}, *update)
	}
	_, err := frames.Rollout(someRollout(), query.Alert)
	require.Error(t, err)
}
