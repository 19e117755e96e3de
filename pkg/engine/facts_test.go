package engine

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/playbook"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func factsOf(t *testing.T, after tracetest.Shop, now time.Time) FactsAnswer {
	t.Helper()
	e := engine(shopWithDeploy(after), nil)
	e.Now = func() time.Time { return now }
	got, err := e.Facts(t.Context(), "orders", window)
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
	slow := factsOf(t, tracetest.Shop{SlowQuery: 8}, window.To)
	plan := playbook.Make(playbook.Config{Mode: playbook.Recommend}, playbook.Situation{Now: window.To, Facts: slow.Facts})
	require.Len(t, plan.Recommendations, 1, "%+v", slow.Facts)
	got := plan.Recommendations[0]
	require.Equal(t, playbook.SlowQueryAfterDeploy, got.Pattern)
	require.Equal(t, "orders", got.Target.Service)
	require.Equal(t, []string{"2", "1"}, []string{got.Target.Version, got.Target.Previous})
	require.Contains(t, got.Evidence[1].Text, "SELECT")
	require.NotEmpty(t, got.Evidence[1].Traces)

	require.Equal(t, []playbook.Kind{playbook.Deployed}, factKinds(factsOf(t, tracetest.Shop{}, window.To).Facts), "nothing changed but the version")
	require.Contains(t, factKinds(factsOf(t, tracetest.Shop{NPlusOne: 20}, window.To).Facts), playbook.MoreCalls)
	require.NotContains(t, factKinds(factsOf(t, tracetest.Shop{SlowQuery: 8}, window.To.Add(time.Hour)).Facts), playbook.Deployed, "its version is gone again")
}

func TestFactsSayWhatIsMissing(t *testing.T) {
	_, err := engine(nil, nil).Facts(t.Context(), "orders", window)
	require.ErrorIs(t, err, errNoTraces)

	e := engine(shopWithDeploy(tracetest.Shop{SlowQuery: 8}), failingMetrics{})
	e.Now = func() time.Time { return window.To }
	got, err := e.Facts(t.Context(), "orders", window)
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

func TestServicesThatAreUnusual(t *testing.T) {
	nothing := math.NaN()
	one := func(service string, values ...float64) series.Series {
		return series.Series{Labels: series.Labels{"service": service}, Step: unusualStep, Values: values}
	}
	known, unusual := countUnusual("service", []series.Series{
		one("steady", 10, 11, 9, 10, 10), one("silent", 10, 11, 9, 10, 0.5), one("gone", 10, 11, 9, 10, nothing), one("failing", 10, 11, 9, 10, 10),
		one("young", nothing, nothing, 9, 10, 10), one("", 10, 11, 9, 10, 0), one("always failing", 10, 10, 10, 10, 10),
	}, []series.Series{
		one("failing", nothing, nothing, nothing, 0.1, 4), one("always failing", 4, 4, 4, 4, 4), one("steady", 0.1, 0.1, 0.1, 0.1, 0.2),
	})
	require.Equal(t, 5, known)
	require.Equal(t, 3, unusual)

	e := engine(nil, fakeMetrics{value: func(promQL string, _ time.Time) []series.Series {
		if !strings.Contains(promQL, "traces_spanmetrics_calls_total") || strings.Contains(promQL, "ERROR") {
			return nil
		}
		return []series.Series{{Labels: series.Labels{"service": "cart"}, Values: []float64{1}}}
	}})
	known, unusual = e.unusualServices(t.Context(), window)
	require.Equal(t, []int{1, 0}, []int{known, unusual})
}

// crowd is someServer with four times the traffic at the end.
type crowd struct{ someServer }

func (c crowd) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	set, err := c.someServer.QueryRange(ctx, promQL, window)
	for i := range set.Series[0].Values {
		if c.end.Sub(set.Series[0].Time(i)) < 20*time.Minute {
			set.Series[0].Values[i] *= 40 // of a tenth
		}
	}
	return set, err
}

func TestUnusualTraffic(t *testing.T) {
	e, all := someEngine()
	last := Window{From: all.To.Add(-30 * time.Minute), To: all.To}
	e.Limits.MaxSeries = 10
	facts, err := e.unusualTraffic(t.Context(), "shop", last)
	require.NoError(t, err)
	require.Empty(t, facts, "an outage is no spike")
	facts, err = e.unusualTraffic(t.Context(), "nobody", last)
	require.NoError(t, err)
	require.Empty(t, facts)
	e.Metrics = crowd{e.Metrics.(someServer)}
	facts, err = e.unusualTraffic(t.Context(), "shop", last)
	require.NoError(t, err)
	require.Len(t, facts, 1)
	require.Equal(t, playbook.UnusualTraffic, facts[0].Kind)
	require.Greater(t, facts[0].Strength, 0.75)
	require.WithinDuration(t, last.To, facts[0].At, 2*time.Minute)
}
