package sizing_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/stats"
)

func setting(t require.TestingT, r sizing.Recommendation, name string) float64 {
	for _, one := range r.Settings {
		if one.Name == name {
			return one.Value
		}
	}
	require.Fail(t, "no setting "+name, "%+v", r.Settings)
	return math.NaN()
}

func TestConcurrency(t *testing.T) {
	queried := sizing.Concurrency{Service: "orders", Demand: sizing.Demand{Now: 100, Expected: 150, Peak: 180, Seen: 200, Lead: time.Minute},
		Slow: stats.Interval{Estimate: 0.25, Lower: 0.2, Upper: 0.3}, Wait: 0.1}
	got := queried.Recommend()
	// 200 × 0.25 × 1.5 are 75, and the Poisson number of mean 50 reaches 78 once
	// in ten thousand.
	require.Equal(t, 78.0, got.Value)
	require.LessOrEqual(t, distuv.Poisson{Lambda: 50}.Survival(78), 1e-4)
	require.Greater(t, distuv.Poisson{Lambda: 50}.Survival(77), 1e-4)
	require.Equal(t, 20.0, got.Lower)
	require.Equal(t, 120.0, got.Upper)
	require.Equal(t, 39.0, setting(t, got, "pending requests")) // 20 on average
	require.Equal(t, 16.0, setting(t, got, "concurrent retries"))
	require.Contains(t, got.Patches[0].Text, "http2MaxRequests: 78")
	require.Contains(t, got.Patches[1].Text, "max_pending_requests: 39")
	require.Contains(t, got.Patches[2].Text, "maxWaitDuration: 100ms")

	queried.Demand, queried.Slow = sizing.Demand{Now: 4, Expected: 5, Peak: 5, Lead: time.Minute}, stats.Interval{Estimate: 0.04, Lower: 0.03, Upper: 0.05}
	require.Equal(t, 3.0, queried.Recommend().Value, "a quiet service takes more than one request at once")

	for name, change := range map[string]func(*sizing.Concurrency){
		"no latency": func(c *sizing.Concurrency) { c.Slow = stats.Interval{} },
		"no traffic": func(c *sizing.Concurrency) { c.Demand = sizing.Demand{} },
		"no demand":  func(c *sizing.Concurrency) { c.Demand.Expected = math.Inf(1) },
	} {
		t.Run(name, func(t *testing.T) {
			other := queried
			change(&other)
			requireUnknown(t, other.Recommend())
		})
	}
}

func TestOutliersAndCircuit(t *testing.T) {
	queried := sizing.Breaker{Service: "payment", Requests: 14e6, Errors: 28e3, Days: 14, Hosts: 10, Slow: 0.2, Use: 0.635}
	outliers := queried.Outliers()
	// ln(0.01 / 100,000) / ln(0.002) = 2.6
	require.Equal(t, 3.0, outliers.Value)
	require.Equal(t, 36.0, setting(t, outliers, "max ejected hosts"))
	require.Equal(t, 86.0, setting(t, outliers, "interval"))
	require.Contains(t, outliers.Patches[0].Text, "consecutive5xxErrors: 3\n")

	circuit := queried.Circuit()
	allowed := 0.01 / 1e6
	tail := func(failures float64) float64 {
		return distuv.Binomial{N: 100, P: 0.002}.Survival(failures - 1)
	}
	require.LessOrEqual(t, tail(circuit.Value), allowed*1.001)
	require.Greater(t, tail(circuit.Value-1), allowed)
	require.Contains(t, circuit.Patches[0].Text, "slowCallDurationThreshold: 600ms")

	full := queried
	full.Use = 1.3
	require.Equal(t, 10.0, setting(t, full.Outliers(), "max ejected hosts"), "one of ten, never none")
	full.Hosts = 3
	require.Equal(t, 34.0, setting(t, full.Outliers(), "max ejected hosts"))
	full.Hosts = 1
	requireUnknown(t, full.Outliers())

	noisy := queried
	noisy.Errors = 2.8e6
	require.Equal(t, 11.0, noisy.Outliers().Value)   // ln(1e-7) / ln(0.2) = 10.01
	require.InDelta(t, 46, noisy.Circuit().Value, 1) // 20 and 6.5 deviations of 4

	for name, change := range map[string]func(*sizing.Breaker){
		"few requests":        func(b *sizing.Breaker) { b.Requests, b.Errors = 500, 1 },
		"most requests fail":  func(b *sizing.Breaker) { b.Errors = 10e6 },
		"more errors than":    func(b *sizing.Breaker) { b.Errors = 15e6 },
		"no time":             func(b *sizing.Breaker) { b.Days = 0 },
		"counts that are NaN": func(b *sizing.Breaker) { b.Requests = math.NaN() },
	} {
		t.Run(name, func(t *testing.T) {
			other := queried
			change(&other)
			requireUnknown(t, other.Outliers())
			requireUnknown(t, other.Circuit())
		})
	}
}

func TestBreakersRarelyOpenForNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queried := sizing.Breaker{
			Requests: rapid.Float64Range(0, 1e9).Draw(t, "requests"), Days: rapid.Float64Range(0.1, 30).Draw(t, "days"),
			Hosts: rapid.Float64Range(1, 100).Draw(t, "hosts"), Slow: rapid.Float64Range(0, 10).Draw(t, "slow"),
			Use: rapid.Float64Range(0, 3).Draw(t, "use"),
		}
		queried.Errors = queried.Requests * rapid.Float64Range(0, 1).Draw(t, "rate")
		if got := queried.Outliers(); got.Problem == "" {
			require.GreaterOrEqual(t, got.Value, 3.0)
			require.LessOrEqual(t, got.Lower, got.Value)
			require.GreaterOrEqual(t, got.Upper, got.Value)
			rate := max(queried.Errors, 0.5) / queried.Requests
			require.LessOrEqual(t, queried.Requests/queried.Days/queried.Hosts*math.Pow(rate, got.Value), 0.0101)
			out := setting(t, got, "max ejected hosts")
			require.True(t, out >= 1 && out <= 100)
			require.GreaterOrEqual(t, out/100*queried.Hosts, 0.999, "at least one host can be taken out")
		}
		if got := queried.Circuit(); got.Problem == "" {
			require.LessOrEqual(t, got.Value, 100.0)
			require.LessOrEqual(t, got.Lower, got.Value)
			require.GreaterOrEqual(t, got.Upper, got.Value)
			calls := setting(t, got, "fewest calls")
			require.True(t, calls >= 10 && calls <= 100)
		}
	})
}

func TestCacheWarm(t *testing.T) {
	course := make([]float64, 60) // grows from 100 to 690 reads per second in an hour
	for i := range course {
		course[i] = 100 + 10*float64(i)
	}
	queried := sizing.CacheWarm{Course: course, Step: time.Minute, HitRatio: 0.9, Backend: 40, WarmTime: 8 * time.Minute}
	got := queried.Recommend()
	require.Empty(t, got.Problem)
	// 410 reads are forecast 32 minutes on; warming takes 10 with its margin.
	require.Equal(t, (22 * time.Minute).Seconds(), got.Value)
	require.InDelta(t, 1-40.0/690, setting(t, got, "share of reads that must hit"), 1e-9)
	require.Contains(t, got.Patches[0].Text, "beginInSeconds: 1320")

	late := queried
	late.HitRatio = 0.2
	require.Zero(t, late.Recommend().Value)
	require.Contains(t, late.Recommend().Constraint, "now")

	calm := queried
	calm.HitRatio = 0.99
	got = calm.Recommend()
	require.True(t, math.IsNaN(got.Value))
	require.Empty(t, got.Problem)
	require.Contains(t, got.Reason, "Nothing to warm")

	for name, change := range map[string]func(*sizing.CacheWarm){
		"no forecast":  func(c *sizing.CacheWarm) { c.Course = nil },
		"no hits":      func(c *sizing.CacheWarm) { c.HitRatio = math.NaN() },
		"no backend":   func(c *sizing.CacheWarm) { c.Backend = math.NaN() },
		"no warm time": func(c *sizing.CacheWarm) { c.WarmTime = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			other := queried
			change(&other)
			requireUnknown(t, other.Recommend())
		})
	}
}

func TestShed(t *testing.T) {
	queried := sizing.Shed{Service: "web", Demand: sizing.Demand{Now: 200, Expected: 300, Peak: 400, Lead: 10 * time.Minute},
		PerReplica: stats.Interval{Estimate: 100, Lower: 80, Upper: 120}, Target: 0.7, Replicas: 4}
	got := queried.Recommend()
	require.InDelta(t, 0.3, got.Value, 1e-9)
	require.Zero(t, got.Lower)
	require.InDelta(t, 0.44, got.Upper, 1e-9)
	require.Contains(t, got.Patches[0].Text, "tokens_per_fill: 70")

	queried.Replicas = 10
	require.Zero(t, queried.Recommend().Value)
	queried.Replicas = math.NaN()
	requireUnknown(t, queried.Recommend())
}

func TestSlowReplicasAdmitLessThanOneRequestASecond(t *testing.T) {
	got := sizing.Shed{Demand: sizing.Demand{Now: 2, Expected: 2, Peak: 2, Lead: time.Minute},
		PerReplica: stats.Interval{Estimate: 0.5, Lower: 0.4, Upper: 0.6}, Target: 0.5, Replicas: 1}.Recommend()
	require.Contains(t, got.Patches[0].Text, "tokens_per_fill: 1\n  fill_interval: 4s")
}

func TestRecommendationsAreFiniteOrSayWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anyNumber := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 1), rapid.Float64Range(0, 1000), rapid.Just(math.NaN()))
		number := func(name string) float64 { return anyNumber.Draw(t, name) }
		interval := func() stats.Interval {
			ends := []float64{number("one"), number("two"), number("three")}
			slices.Sort(ends)
			return stats.Interval{Lower: ends[0], Estimate: ends[1], Upper: ends[2]}
		}
		demand := sizing.Demand{Now: number("now"), Expected: number("expected"), Peak: number("peak"), Seen: number("seen"),
			Lead: time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "lead")), Quantile: number("quantile")}
		breaker := sizing.Breaker{Requests: number("requests"), Errors: number("errors"), Days: number("days"), Hosts: number("hosts"), Slow: number("slow"), Use: number("use")}
		for _, got := range []sizing.Recommendation{
			sizing.Replicas{Demand: demand, Resources: []sizing.Resource{{PerReplica: interval(), Target: number("target")}}, Current: number("current")}.Recommend(),
			sizing.Pool{Asked: number("asked"), Growth: number("scale up"), Hold: interval(), Current: number("current"), Seen: number("most"), Instances: number("instances"),
				Connections: rapid.Int().Draw(t, "connections"), Patience: number("patience"), Waiting: number("waiting")}.Recommend(),
			sizing.Concurrency{Demand: demand, Slow: interval(), Wait: number("wait")}.Recommend(),
			sizing.Shed{Demand: demand, PerReplica: interval(), Target: number("target"), Replicas: number("replicas")}.Recommend(),
			sizing.CacheWarm{Course: []float64{number("reads"), number("reads")}, Step: time.Minute, HitRatio: number("hits"), Backend: number("backend"), WarmTime: time.Minute}.Recommend(),
			breaker.Outliers(), breaker.Circuit(),
		} {
			if got.Problem != "" {
				require.Empty(t, got.Patches)
				continue
			}
			if math.IsNaN(got.Value) {
				require.Equal(t, sizing.SizeCacheWarm, got.Sizing)
				continue
			}
			for _, value := range []float64{got.Value, got.Lower, got.Upper} {
				require.False(t, math.IsNaN(value) || math.IsInf(value, 0) || value < 0, "%+v", got)
			}
			require.LessOrEqual(t, got.Lower, got.Value)
			require.GreaterOrEqual(t, got.Upper, got.Value)
			for _, patch := range got.Patches {
				require.False(t, strings.Contains(patch.Text, "NaN") || strings.Contains(patch.Text, "Inf"), patch.Text)
			}
		}
	})
}
