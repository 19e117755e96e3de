package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// TestTheBaselinesRolloutTeaches: its pods failed a hundredth more for five
// minutes when they came, ten hours ago, beside the version before.
func TestTheBaselinesRolloutTeaches(t *testing.T) {
	candidate := enginetest.Midnight
	began := candidate.Add(-10*time.Hour - 3*time.Minute)
	served := func(version, pod string, value float64) series.Series {
		return series.Series{Labels: series.Labels{"service_version": version, "pod": pod}, Values: []float64{value}}
	}
	metrics := func(before bool) *versionCounts {
		m := enginetest.Metrics{Value: func(promQL string, at time.Time) (all []series.Series) {
			failed := strings.Contains(promQL, "STATUS_CODE_ERROR")
			old, baseline := 0.0, 0.0
			if before && at.Before(began.Add(20*time.Minute)) {
				old = 9000
			}
			switch {
			case !at.After(began):
			case !failed:
				baseline = 5000
			case at.After(began.Add(5 * time.Minute)):
				baseline = 10
			default:
				baseline = 60
			}
			if !strings.Contains(promQL, `service_version="1"`) {
				all = append(all, served("0", "old", old))
			}
			return append(all, served("1", "a", baseline))
		}}
		v := &versionCounts{metrics: m, metric: versionedMetrics[2], service: `service="orders"`, matcher: `service="orders", service_version=~"1|2"`, window: periodsBefore(candidate, candidate.Add(10*time.Minute), 15*time.Second)}
		v.past = pastPeriods(candidate, v.window.Step)
		v.comparison = traces.Comparison{Baseline: upstream.TraceFilter{Version: "1"}, Candidate: upstream.TraceFilter{Version: "2", Start: candidate}}
		return v
	}
	v := metrics(true)
	learned, err := v.starts(t.Context(), append([]string{"service_version"}, signals.PodLabels...), "", nil)
	require.NoError(t, err)
	require.InDeltaSlice(t, []float64{0.015, 0.015, 0.015, 0.015, 0.015}, learned[0], 1e-9)
	require.Contains(t, v.queries[len(v.queries)-1], `service="orders"`)

	learned, err = metrics(false).starts(t.Context(), nil, "", nil)
	require.NoError(t, err)
	require.Nil(t, learned[0], "a version that replaced no other was just not scraped before")

	v = metrics(true)
	v.comparison.Candidate.Start = began.Add(30 * time.Minute)
	v.past = pastPeriods(v.comparison.Candidate.Start, v.window.Step)
	_, found, err := v.rollout(t.Context())
	require.NoError(t, err)
	require.False(t, found, "a rollout that is not over")
}
