package ops_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/ops"
	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func factsOf(t *testing.T, after tracetest.Shop, now time.Time) ops.FactsAnswer {
	t.Helper()
	e := newEngine(enginetest.ShopWithDeploy(after), nil)
	e.Now = func() time.Time { return now }
	got, err := e.Facts(t.Context(), "orders", enginetest.Window)
	require.NoError(t, err)
	require.Empty(t, got.Missing)
	return got
}

func factKinds(facts []playbook.Fact) (kinds []playbook.Kind) {
	for _, f := range facts {
		kinds = append(kinds, f.Kind)
	}
	return kinds
}

func TestFactsAfterADeploy(t *testing.T) {
	slow := factsOf(t, tracetest.Shop{SlowQuery: 8}, enginetest.Window.To)
	plan := playbook.Make(playbook.Config{Mode: playbook.Recommend}, playbook.Situation{Now: enginetest.Window.To, Facts: slow.Facts})
	require.Len(t, plan.Recommendations, 1, "%+v", slow.Facts)
	got := plan.Recommendations[0]
	require.Equal(t, playbook.SlowQueryAfterDeploy, got.Pattern)
	require.Equal(t, "orders", got.Target.Service)
	require.Equal(t, []string{"2", "1"}, []string{got.Target.Version, got.Target.Previous})
	require.Contains(t, got.Evidence[1].Text, "SELECT")
	require.NotEmpty(t, got.Evidence[1].Traces)

	require.Equal(t, []playbook.Kind{playbook.Deployed}, factKinds(factsOf(t, tracetest.Shop{}, enginetest.Window.To).Facts), "nothing changed but the version")
	require.Contains(t, factKinds(factsOf(t, tracetest.Shop{NPlusOne: 20}, enginetest.Window.To).Facts), playbook.MoreCalls)
	require.NotContains(t, factKinds(factsOf(t, tracetest.Shop{SlowQuery: 8}, enginetest.Window.To.Add(time.Hour)).Facts), playbook.Deployed, "its version is gone again")
}

func TestFactsSayWhatIsMissing(t *testing.T) {
	_, err := newEngine(nil, nil).Facts(t.Context(), "orders", enginetest.Window)
	require.ErrorIs(t, err, core.ErrNoTraces)

	e := newEngine(enginetest.ShopWithDeploy(tracetest.Shop{SlowQuery: 8}), failingMetrics{})
	e.Now = func() time.Time { return enginetest.Window.To }
	got, err := e.Facts(t.Context(), "orders", enginetest.Window)
	require.NoError(t, err)
	require.Contains(t, got.Missing, "disk full")
	require.Zero(t, got.Known)
	require.Contains(t, factKinds(got.Facts), playbook.SlowStatement)
}

// failingMetrics is a metrics server that is broken.
type failingMetrics struct{ upstream.Metrics }

func (failingMetrics) QueryRange(context.Context, string, upstream.Range) (upstream.SeriesSet, error) {
	return upstream.SeriesSet{}, errors.New("disk full")
}

func (failingMetrics) LabelValues(context.Context, string, []string, time.Time, time.Time) ([]string, []string, error) {
	return nil, nil, errors.New("disk full")
}

func newEngine(traces upstream.Traces, metrics upstream.Metrics) *engine.Engine {
	return &engine.Engine{Traces: traces, Metrics: metrics, Limits: core.Limits{MaxTraces: 1000}, Now: func() time.Time { return enginetest.Midnight.Add(time.Hour) }}
}
