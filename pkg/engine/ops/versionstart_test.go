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
	found, err := v.rollouts(t.Context())
	require.NoError(t, err)
	require.Empty(t, found, "a rollout that is not over")
}

// TestSeveralPastRolloutsTeach: versions came every six hours, each for as long as
// the next; what the worst of the newest three starts did is what a start may do.
func TestSeveralPastRolloutsTeach(t *testing.T) {
	candidate := enginetest.Midnight
	began := func(version int) time.Time { return candidate.Add(-time.Duration(6*version)*time.Hour - 3*time.Minute) }
	failures := []float64{0, 10, 60, 35, 500} // in the first five minutes, by age of the version
	m := enginetest.Metrics{Value: func(promQL string, at time.Time) (all []series.Series) {
		for i := 1; i < len(failures); i++ {
			name := string(rune('e' - i))
			if strings.Contains(promQL, `service_version="`) && !strings.Contains(promQL, `service_version="`+name+`"`) {
				continue
			}
			value := 0.0
			if at.After(began(i)) && (i == 1 || !at.After(began(i-1).Add(10*time.Minute))) {
				if value = 5000; strings.Contains(promQL, "STATUS_CODE_ERROR") {
					if value = 10; !at.After(began(i).Add(5 * time.Minute)) {
						value = failures[i]
					}
				}
			}
			all = append(all, series.Series{Labels: series.Labels{"service_version": name, "pod": name}, Values: []float64{value}})
		}
		return all
	}}
	v := &versionCounts{metrics: m, metric: versionedMetrics[2], service: `service="orders"`, window: periodsBefore(candidate, candidate.Add(10*time.Minute), 15*time.Second)}
	v.past = pastPeriods(candidate, v.window.Step)
	v.comparison = traces.Comparison{Baseline: upstream.TraceFilter{Version: "d"}, Candidate: upstream.TraceFilter{Version: "x", Start: candidate}}
	found, err := v.rollouts(t.Context())
	require.NoError(t, err)
	var versions []string
	for _, one := range found {
		versions = append(versions, one.version)
	}
	require.Equal(t, []string{"d", "c", "b"}, versions, "the newest three")
	learned, err := v.starts(t.Context(), append([]string{"service_version"}, signals.PodLabels...), "", nil)
	require.NoError(t, err)
	require.InDeltaSlice(t, []float64{0.015, 0.015, 0.015, 0.015, 0.015}, learned[0], 1e-9)
}

func TestTheWorstOfTwoStarts(t *testing.T) {
	require.Nil(t, worstStart(nil, nil))
	require.Equal(t, []float64{}, worstStart(nil, []float64{}), "known to differ in nothing")
	require.Equal(t, []float64{3, 2, 1}, worstStart([]float64{1, 2}, []float64{3, 1, 1}))
	require.Equal(t, []float64{3, 2, 1}, worstStart([]float64{3, 1, 1}, []float64{1, 2}))
}
