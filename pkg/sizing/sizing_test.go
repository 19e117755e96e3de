package sizing_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/stats"
)

func TestErlangC(t *testing.T) {
	for name, test := range map[string]struct {
		servers int
		load    float64
		want    float64
	}{
		// Gross and Harris, Fundamentals of Queueing Theory, 2.3: (c, r) in closed form.
		"M/M/1 waits with the use":  {1, 0.7, 0.7},
		"M/M/2, 1 erlang":           {2, 1, 1.0 / 3},
		"M/M/3, 2 erlangs":          {3, 2, 4.0 / 9},
		"M/M/5, 4 erlangs":          {5, 4, 0.55411},
		"M/M/10, 8 erlangs":         {10, 8, 0.40918},
		"call centre, 11 agents":    {11, 10, 0.6821}, // tables of call centres: 100 calls of 3 minutes in half an hour
		"call centre, 12 agents":    {12, 10, 0.4494},
		"call centre, 14 agents":    {14, 10, 0.1741},
		"no load":                   {4, 0, 0},
		"as much load as servers":   {4, 4, 1},
		"more load than servers":    {4, 5, 1},
		"a hundred servers, 90 use": {100, 90, 0.2169},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, test.want, sizing.ErlangC(test.servers, test.load), 1e-4)
		})
	}
}

func TestErlangCFallsWithServersAndGrowsWithLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		servers := rapid.IntRange(1, 200).Draw(t, "servers")
		load := rapid.Float64Range(0, 250).Draw(t, "load")
		here := sizing.ErlangC(servers, load)
		require.GreaterOrEqual(t, here, 0.0)
		require.LessOrEqual(t, here, 1.0)
		require.LessOrEqual(t, sizing.ErlangC(servers+1, load), here+1e-12)
		require.GreaterOrEqual(t, sizing.ErlangC(servers, load+0.5), here-1e-12)
	})
}

func someReplicas() sizing.Replicas {
	return sizing.Replicas{
		Service:   "orders",
		Demand:    sizing.Demand{Now: 300, Expected: 380, Peak: 400, Lead: 10 * time.Minute, Quantile: 0.95},
		Resources: []sizing.Resource{{Name: "processor", PerReplica: stats.Interval{Estimate: 100, Lower: 90, Upper: 110}, Target: 0.7}},
		Current:   5,
	}
}

func TestReplicas(t *testing.T) {
	for name, test := range map[string]struct {
		change     func(*sizing.Replicas)
		want       float64
		constraint string
	}{
		"the forecast":                       {func(*sizing.Replicas) {}, 6, ""},
		"exactly full is no more":            {func(r *sizing.Replicas) { r.Demand.Peak = 420 }, 6, ""},
		"never fewer than the load of now":   {func(r *sizing.Replicas) { r.Demand.Expected, r.Demand.Peak = 10, 20 }, 5, ""},
		"growth is limited":                  {func(r *sizing.Replicas) { r.Demand.Peak = 4000 }, 10, "scale up"},
		"a small service may grow by four":   {func(r *sizing.Replicas) { r.Current, r.Demand.Peak, r.Demand.Now = 1, 4000, 50 }, 5, "scale up"},
		"growth never below the load of now": {func(r *sizing.Replicas) { r.Demand.Now, r.Demand.Peak = 3000, 3000 }, 43, "scale up"},
		"shrinking is limited":               {func(r *sizing.Replicas) { r.Current = 30 }, 15, "scale down"},
		"the cap":                            {func(r *sizing.Replicas) { r.Max = 4 }, 4, "maximum replicas"},
		"the least":                          {func(r *sizing.Replicas) { r.Min = 8 }, 8, "minimum replicas"},
		"two, where no floor is named":       {func(r *sizing.Replicas) { r.Current = 2; r.Demand.Now, r.Demand.Expected, r.Demand.Peak = 5, 6, 7 }, 2, "minimum replicas"},
		"one, where the user says so": {func(r *sizing.Replicas) {
			r.Current, r.Min = 2, 1
			r.Demand.Now, r.Demand.Expected, r.Demand.Peak = 5, 6, 7
		}, 1, ""},
		"what binds, not the processor": {func(r *sizing.Replicas) {
			r.Resources = append(r.Resources, sizing.Resource{Name: "memory", PerReplica: stats.Interval{Estimate: 60, Lower: 55, Upper: 65}, Target: 0.8})
		}, 9, ""},
		"what does not bind changes nothing": {func(r *sizing.Replicas) {
			r.Resources = append(r.Resources, sizing.Resource{Name: "queue", PerReplica: stats.Interval{Estimate: 600, Lower: 550, Upper: 650}, Target: 0.8})
		}, 6, ""},
		"unknown present": {func(r *sizing.Replicas) { r.Current = math.NaN(); r.Demand.Peak = 4000 }, 58, ""},
	} {
		t.Run(name, func(t *testing.T) {
			queried := someReplicas()
			test.change(&queried)
			got := queried.Recommend()
			require.Empty(t, got.Problem)
			require.Equal(t, test.want, got.Value)
			require.Contains(t, got.Constraint, test.constraint)
			require.LessOrEqual(t, got.Lower, got.Value)
			require.GreaterOrEqual(t, got.Upper, got.Value)
			require.Contains(t, got.Patches[0].Text, "minReplicas: ")
			require.NotEmpty(t, got.Revert)
		})
	}
	for name, change := range map[string]func(*sizing.Replicas){
		"no capacity": func(r *sizing.Replicas) { r.Resources = nil },
		"no demand":   func(r *sizing.Replicas) { r.Demand.Peak = math.NaN() },
		"no target":   func(r *sizing.Replicas) { r.Resources[0].Target = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			queried := someReplicas()
			change(&queried)
			requireUnknown(t, queried.Recommend())
		})
	}
}

func requireUnknown(t *testing.T, got sizing.Recommendation) {
	t.Helper()
	require.NotEmpty(t, got.Problem)
	require.True(t, math.IsNaN(got.Value) && math.IsNaN(got.Lower) && math.IsNaN(got.Upper), "%+v", got)
	require.Empty(t, got.Patches)
}

func TestReplicasAreNeverFewerThanReactiveAndNeverOverTheCap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		load := rapid.Float64Range(0, 1e6)
		capacity := rapid.Float64Range(0.1, 1e4).Draw(t, "capacity")
		queried := sizing.Replicas{
			Demand: sizing.Demand{Now: load.Draw(t, "now"), Expected: load.Draw(t, "expected"), Peak: load.Draw(t, "peak"), Lead: time.Minute},
			Resources: []sizing.Resource{{PerReplica: stats.Interval{Estimate: capacity, Lower: capacity / 1.2, Upper: capacity * 1.2},
				Target: rapid.Float64Range(0.01, 1).Draw(t, "target")}},
			Current: float64(rapid.IntRange(0, 1000).Draw(t, "current")),
			Max:     rapid.IntRange(0, 2000).Draw(t, "max"),
		}
		got := queried.Recommend()
		require.Empty(t, got.Problem)
		reactive := math.Ceil(queried.Demand.Now / (capacity * queried.Resources[0].Target) * (1 - 1e-9))
		if queried.Max > 0 {
			require.LessOrEqual(t, got.Value, float64(queried.Max))
			reactive = min(reactive, float64(queried.Max))
		}
		require.GreaterOrEqual(t, got.Value, reactive)
		more := queried
		more.Demand.Peak *= 1.5
		require.GreaterOrEqual(t, more.Recommend().Value, got.Value, "more demand never needs fewer")
	})
}

func TestCapacityIsFoundBesideOtherWork(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var load, use []float64
	for minute := range 3 * 1440 {
		l := 50 + 30*math.Sin(2*math.Pi*float64(minute)/1440) + random.NormFloat64()
		u := 0.05 + l/150 + 0.01*random.NormFloat64()
		if minute%1440 < 90 {
			u += 0.3 // a job at night
		}
		if minute%100 == 0 {
			l = math.NaN()
		}
		load, use = append(load, l), append(use, u)
	}
	got, err := sizing.Capacity(load, use)
	require.NoError(t, err)
	require.InEpsilon(t, 0.95*150, got.Estimate, 0.05)
	require.Less(t, got.Lower, got.Estimate)
	require.Greater(t, got.Upper, got.Estimate)

	for i := range use {
		use[i] /= 10
	}
	got, err = sizing.Capacity(load, use)
	require.NoError(t, err)
	require.InDelta(t, 160, got.Estimate, 2, "not beyond twice the load that was seen")
}

func TestCapacityThatCannotBeTold(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	line := func(f func(i int) float64) (values []float64) {
		for i := range 2000 {
			values = append(values, f(i))
		}
		return values
	}
	noise := line(func(int) float64 { return 0.5 + 0.1*random.NormFloat64() })
	for name, test := range map[string]struct{ load, use []float64 }{
		"nothing":               {nil, nil},
		"few":                   {noise[:50], noise[:50]},
		"unrelated":             {line(func(int) float64 { return 50 + random.NormFloat64() }), noise},
		"load that never moves": {line(func(int) float64 { return 50 }), noise},
		"use that falls":        {line(func(i int) float64 { return float64(i) }), line(func(i int) float64 { return 0.9 - float64(i)/4000 })},
		"missing":               {line(func(int) float64 { return math.NaN() }), noise},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sizing.Capacity(test.load, test.use)
			require.ErrorContains(t, err, "not enough data")
		})
	}
}

func somePool() sizing.Pool {
	return sizing.Pool{Asked: 100, Growth: 1.5, Hold: stats.Interval{Estimate: 0.04, Lower: 0.03, Upper: 0.06},
		Current: 5, Instances: 4, Patience: 0.01, Waiting: 0.01}
}

// The pool of an autoscaled service is the same at midnight as at noon, since its
// instances are few at midnight and many at noon.
func TestPoolOfAnAutoscaledServiceDoesNotDependOnTheHour(t *testing.T) {
	load, instances := make([]float64, 288), make([]float64, 288)
	var use sizing.PoolUse
	for i := range load {
		load[i] = 550 - 450*math.Cos(2*math.Pi*float64(i)/288)
		instances[i] = math.Max(2, math.Ceil(load[i]/100))
		use.Taken = append(use.Taken, load[i]/instances[i])
		use.Used = append(use.Used, load[i]/instances[i]*0.04)
	}
	var sizes []float64
	for hour := range 24 {
		now := hour * 12
		day := func(x []float64) []float64 { return slices.Concat(x[now:], x[:now]) }
		turned := sizing.PoolUse{Used: day(use.Used), Taken: day(use.Taken)}
		pool := somePool()
		pool.Asked, pool.Hold = turned.Busiest()
		pool.Growth = sizing.GrowthPerInstance(day(load), day(instances), load[now]*1.1, math.Ceil(load[now]*1.1/100))
		sizes = append(sizes, pool.Recommend().Value)
	}
	require.Equal(t, slices.Min(sizes), slices.Max(sizes), "%v", sizes)
	alone := somePool()
	alone.Asked, alone.Hold = sizing.PoolUse{Taken: []float64{math.NaN()}}.Busiest()
	requireUnknown(t, alone.Recommend())
	require.Equal(t, 1.0, sizing.GrowthPerInstance(nil, nil, 10, 2))
	require.InDelta(t, 1.5, sizing.GrowthPerInstance([]float64{100, 200, 100}, []float64{1, 2, 1}, 300, 2), 1e-9)
}

// The quantile is that of the highest value of all points together.
func TestPointwiseQuantile(t *testing.T) {
	for _, points := range []int{1, 10, 30} {
		level := sizing.PointwiseQuantile(0.95, points)
		random, held := rand.New(rand.NewPCG(uint64(points), 5)), 0
		for range 4000 {
			highest := 0.0
			for range points {
				highest = max(highest, random.Float64())
			}
			if highest <= level {
				held++
			}
		}
		require.InDelta(t, 0.95, float64(held)/4000, 0.015)
	}
	require.Equal(t, 0.5, sizing.PointwiseQuantile(0.5, 10), "what is expected")
}

// A forecast only ever adds capacity: demand is never below the load of now.
func TestDemandIsNeverBelowNow(t *testing.T) {
	falling := sizing.Demand{Now: 300, Expected: 100, Peak: 120, Lead: time.Minute}
	require.Equal(t, 300.0, falling.Highest())
	falling.Seen = 200
	require.Equal(t, 300.0, falling.Highest())
	perReplica := stats.Interval{Estimate: 100, Lower: 90, Upper: 110}
	shed := sizing.Shed{Demand: falling, PerReplica: perReplica, Target: 0.7, Replicas: 2}.Recommend()
	require.InDelta(t, 1-140.0/300, shed.Value, 1e-9)
	replicas := someReplicas()
	replicas.Demand = falling
	got := replicas.Recommend()
	require.Equal(t, 5.0, got.Value)
	require.GreaterOrEqual(t, got.Lower, 4.0, "nor is the lower bound: 300 over 110 × 0.7")
	require.Contains(t, got.Reason, "300 requests/s")
}

func TestUrgency(t *testing.T) {
	for want, r := range map[sizing.Urgency]sizing.Recommendation{
		sizing.Short:    {Value: 6, Upper: 7, Current: 5},
		sizing.Fine:     {Value: 6, Upper: 7, Current: 18},
		sizing.Wasteful: {Value: 6, Upper: 7, Current: 22},
		sizing.Unknown:  {Value: 6, Upper: 7, Current: math.NaN()},
	} {
		require.Equal(t, want, r.Urgency())
	}
}

func TestPool(t *testing.T) {
	got := somePool().Recommend()
	require.Empty(t, got.Problem)
	tail := func(c float64) float64 {
		return sizing.ErlangC(int(c), 6) * math.Exp(-(c-6)*0.01/0.04)
	}
	require.LessOrEqual(t, tail(got.Value), 0.01)
	require.Greater(t, tail(got.Value-1), 0.01, "one fewer does not suffice")
	require.Less(t, got.Lower, got.Value)
	require.Greater(t, got.Upper, got.Value)
	require.Len(t, got.Patches, 3)
	require.Contains(t, got.Revert, "5")

	bursty := somePool()
	bursty.Seen = 17
	require.Equal(t, 17.0, bursty.Recommend().Value, "never fewer than were in use")
	require.NotEmpty(t, bursty.Recommend().Constraint)

	capped := somePool()
	capped.Connections, capped.Reserve = 40, 4
	got = capped.Recommend()
	require.Equal(t, 9.0, got.Value)
	require.NotEmpty(t, got.Constraint)
	require.NotContains(t, got.Reason, "cannot serve")

	capped.Connections = 24
	got = capped.Recommend()
	require.Equal(t, 5.0, got.Value)
	require.Contains(t, got.Reason, "cannot serve")

	for name, change := range map[string]func(*sizing.Pool){
		"no holding time":     func(p *sizing.Pool) { p.Hold = stats.Interval{} },
		"no rate":             func(p *sizing.Pool) { p.Asked = math.NaN() },
		"no database":         func(p *sizing.Pool) { p.Connections = 3 },
		"no patience":         func(p *sizing.Pool) { p.Patience = 0 },
		"no forecast":         func(p *sizing.Pool) { p.Growth = math.NaN() },
		"held for ever":       func(p *sizing.Pool) { p.Hold = stats.Interval{Estimate: 1e6, Lower: 1e6, Upper: 1e6} },
		"a holding time of ∞": func(p *sizing.Pool) { p.Hold.Upper = math.Inf(1) },
	} {
		t.Run(name, func(t *testing.T) {
			queried := somePool()
			change(&queried)
			requireUnknown(t, queried.Recommend())
		})
	}
}

func TestPoolsHoldTheirLoadAndTheCeiling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hold := rapid.Float64Range(1e-4, 5).Draw(t, "hold")
		queried := sizing.Pool{
			Asked: rapid.Float64Range(0.01, 300).Draw(t, "asked"), Growth: rapid.Float64Range(0.1, 4).Draw(t, "scale up"),
			Hold:      stats.Interval{Estimate: hold, Lower: hold * 0.7, Upper: hold * 1.5},
			Instances: float64(rapid.IntRange(1, 20).Draw(t, "instances")), Connections: rapid.IntRange(0, 5000).Draw(t, "connections"),
			Seen:     float64(rapid.IntRange(0, 20).Draw(t, "seen")),
			Patience: rapid.Float64Range(1e-4, 1).Draw(t, "patience"), Waiting: 0.01,
		}
		got := queried.Recommend()
		if got.Problem != "" {
			return
		}
		require.LessOrEqual(t, got.Lower, got.Value)
		require.GreaterOrEqual(t, got.Upper, got.Value)
		if !strings.Contains(got.Constraint, "database") {
			require.GreaterOrEqual(t, got.Value, queried.Seen)
			require.Greater(t, got.Value, queried.Asked*max(1, queried.Growth)*hold)
		} else {
			require.LessOrEqual(t, got.Value*queried.Instances, float64(queried.Connections))
		}
	})
}
