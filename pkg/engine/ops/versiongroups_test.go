package ops

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/canary"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// TestEveryErrorCountsOnce: whatever the time between scrapes, the periods add
// up to what the counters counted: of a pod that is there all the time, of one
// that comes with its first error, and of one that restarts.
func TestEveryErrorCountsOnce(t *testing.T) {
	start := time.Unix(1_700_000_000, 0).Truncate(time.Hour)
	for _, scrape := range []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute} {
		t.Run(scrape.String(), func(t *testing.T) {
			var store []enginetest.Scraped
			counter := func(pod string, from, to time.Duration, value func(time.Duration) float64) {
				store = append(store, enginetest.Scraped{
					Labels: enginetest.Named("failed_total", "pod", pod), From: start.Add(from), To: start.Add(to), Every: scrape,
					Value: func(at time.Time) float64 { return value(at.Sub(start)) },
				})
			}
			phase := 7 * time.Second
			perMinute := func(since time.Duration) func(time.Duration) float64 {
				return func(at time.Duration) float64 { return float64(int((at - since).Minutes() * 3)) }
			}
			counter("old", -20*time.Minute+phase, 30*time.Minute, func(at time.Duration) float64 { return 1000 + perMinute(-20*time.Minute)(at) })
			counter("new", 10*time.Minute+phase, 30*time.Minute, func(at time.Duration) float64 { return 1 + perMinute(10*time.Minute+phase)(at) })
			counter("restarted", -20*time.Minute, 30*time.Minute, func(at time.Duration) float64 {
				if at < 12*time.Minute {
					return 500 + perMinute(-20*time.Minute)(at)
				}
				return perMinute(12 * time.Minute)(at)
			})
			promQL := fmt.Sprintf("sum by (pod) (%s)", countedIncrease("failed_total", time.Minute))
			window := upstream.Range{Start: start.Add(time.Minute), End: start.Add(30 * time.Minute), Step: time.Minute}
			set, err := enginetest.NewPromServer(store...).QueryRange(t.Context(), promQL, window)
			require.NoError(t, err)
			total := map[string]float64{}
			for _, one := range set.Series {
				for _, v := range one.Values {
					if !math.IsNaN(v) {
						total[one.Labels["pod"]] += v
					}
				}
			}
			unseen := 3*scrape.Minutes() + 1 // since the last scrape, at either end
			require.InDelta(t, 90, total["old"], unseen)
			require.Greater(t, total["new"], 61-unseen)
			require.LessOrEqual(t, total["new"], 62.0)
			require.InDelta(t, 90, total["restarted"], unseen+3, "what a pod counted after the last period before it restarted is lost")
		})
	}
}

func TestGroupsByPodZoneAndEndpoint(t *testing.T) {
	of := func(version, pod, instance, route string, value float64) series.Series {
		return series.Series{Labels: series.Labels{"service_version": version, "pod": pod, "instance": instance, "http_route": route}, Values: []float64{value, value}}
	}
	v := &versionCounts{}
	v.comparison.Baseline.Version, v.comparison.Candidate.Version = "1", "2"
	requests := []series.Series{of("1", "a", "x", "/cart", 100), of("1", "b", "x", "/pay", 50), of("2", "c", "x", "/cart", 10)}
	failed := []series.Series{of("2", "c", "x", "/cart", 3), of("1", "b", "x", "/pay", 60)}
	two := func(bad, requests float64) []canary.Tally {
		return []canary.Tally{{Bad: bad, Requests: requests}, {Bad: bad, Requests: requests}}
	}
	require.Equal(t, []canary.Group{
		{Pod: "a", Endpoint: "/cart", Periods: two(0, 100)},
		{Pod: "b", Endpoint: "/pay", Periods: two(50, 50)}, // never more than were served
		{Candidate: true, Pod: "c", Endpoint: "/cart", Periods: two(3, 10)},
	}, v.groups(requests, failed, "", "", false))

	// A label with one value for both versions names who tells.
	for i := range requests {
		delete(requests[i].Labels, "pod")
	}
	for _, g := range v.groups(requests, nil, "", "", false) {
		require.Empty(t, g.Pod)
	}
}

func TestLimitsHoldTheQuantiles(t *testing.T) {
	bucket := func(le string, count float64) series.Series {
		return series.Series{Labels: series.Labels{"le": le}, Values: []float64{count}}
	}
	require.Equal(t, []bucketLimit{{"0.1", 0.5}, {"2", 0.0625}, {"10", 0}},
		quantileLimits([]series.Series{bucket("+Inf", 800), bucket("10", 800), bucket("0.1", 400), bucket("1", 700), bucket("2", 750)}))
	require.Empty(t, quantileLimits([]series.Series{bucket("+Inf", 0), bucket("1", 0)}))
	require.Empty(t, quantileLimits([]series.Series{bucket("1", 5)}))
}
