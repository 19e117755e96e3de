package ops

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/sizing"
	"github.com/foresight-observability/foresight/pkg/stats"
)

// What each recommendation is made from.

// perReplica learns from ordinary times what load one replica carries.
func (k sizes) perReplica(basis *core.Provenance) stats.Interval {
	load, use, replicas := k.only("load past"), k.only("use past"), k.only("replicas past")
	if use.Len() == 0 {
		basis.AddNotice("The processor utilization of " + k.Service + " is unknown: no metric has both usage and limit.")
	}
	each := make([]float64, min(load.Len(), use.Len(), replicas.Len()))
	for i := range each {
		each[i] = load.Values[i] / replicas.Values[i]
	}
	capacity, err := sizing.Capacity(each, use.Values[:len(each)])
	if err != nil {
		basis.AddNotice("The load per replica is unknown: " + err.Error() + ".")
	}
	return capacity
}

// byShare is what load one replica carries before a resource is used up; the zero
// value where that does not follow the load, which is usual of memory.
func (k sizes) byShare(reading string) stats.Interval {
	load, use, replicas := k.only("load past"), k.only(reading), k.only("replicas past")
	each := make([]float64, min(load.Len(), use.Len(), replicas.Len()))
	for i := range each {
		each[i] = load.Values[i] / replicas.Values[i]
	}
	capacity, err := sizing.Capacity(each, use.Values[:len(each)])
	if err != nil || spread(use.Values, 0, 0.5, 1).Upper > maxShare {
		return stats.Interval{}
	}
	return capacity
}

// maxShare is the highest share of its limit that a resource can take, with some
// room for limits that were changed; beyond it is no share.
const maxShare = 1.5

// byConnections is what load one replica carries before its smallest pool is
// used up, by the connections in use for each request of the day. It only ever
// bounds what the processor carries: where that is unknown, a pool tells
// nothing of the rest.
func (k sizes) byConnections() stats.Interval {
	if k.capacity.Estimate == 0 {
		return stats.Interval{}
	}
	load, replicas := lastDay(k.only("load past")), lastDay(k.only("replicas past"))
	var scarcest stats.Interval
	for _, one := range k.sets["used by day"] {
		size := latest(k.pool("pool most", poolOf(one.Labels)))
		var perRequest []float64
		for i := range min(len(load), len(replicas), one.Len()) {
			if used := one.Values[i] * replicas[i] / load[i]; used > 0 && load[i] > 0 {
				perRequest = append(perRequest, used)
			}
		}
		held := spread(perRequest, 0.05, 0.5, 0.95)
		if size > 0 && held.Estimate > 0 && (scarcest.Estimate == 0 || size/held.Estimate < scarcest.Estimate) {
			scarcest = stats.Interval{Lower: size / held.Upper, Estimate: size / held.Estimate, Upper: size / held.Lower}
		}
	}
	return scarcest
}

func (k sizes) replicasNeeded() sizing.Recommendation {
	return sizing.Replicas{Service: k.Service, Demand: k.demand, Current: k.replicas, Min: k.MinReplicas, Max: k.MaxReplicas,
		Resources: []sizing.Resource{
			{Name: "processor", PerReplica: k.capacity, Target: k.Use},
			{Name: "memory", PerReplica: k.memory, Target: k.Use},
			{Name: "concurrency", PerReplica: k.workers, Target: k.Use},
			{Name: "file descriptors", PerReplica: k.files, Target: k.Use},
			{Name: "connections", PerReplica: k.byConnections(), Target: k.Use},
		}}.Recommend()
}

// pools sizes every pool of the service; one that nothing is known of, where
// there is none. A pool bears the highest load of an instance within the day,
// whatever the hour: an autoscaled service has few instances when its load is
// low.
func (k sizes) pools() []sizing.Recommendation {
	ahead := k.replicasNeeded().Value
	if math.IsNaN(ahead) {
		ahead = k.replicas
	}
	load, replicas := k.only("load past"), k.only("replicas past")
	growth := sizing.GrowthPerInstance(lastDay(load), lastDay(replicas), k.demand.Highest(), ahead)
	if math.IsNaN(ahead) || math.IsNaN(k.demand.Now) { // as many instances as ever, or no forecast
		growth = k.demand.Highest() / k.demand.Now
	} else if highest := spread(lastDay(replicas), 0, 0.5, 1).Upper; highest >= ahead {
		// The load of the day was borne by the instances of the day.
		growth = 1
		if k.demand.Peak > k.demand.Seen {
			growth = sizing.GrowthPerInstance(lastDay(load), lastDay(replicas), k.demand.Peak, ahead)
		}
		ahead = highest
	}
	shared := sizing.Pool{Growth: growth, Instances: ahead, Connections: k.DatabaseConnections, Reserve: k.ReservedConnections,
		Patience: time.Duration(k.MaxWait).Seconds(), Waiting: waiting, Current: math.NaN(), Asked: math.NaN()}
	used := k.sets["pool used"]
	if len(used) == 0 {
		return []sizing.Recommendation{shared.Recommend()}
	}
	var sized []sizing.Recommendation
	for _, one := range used {
		pool := shared
		pool.Name = poolOf(one.Labels)
		pool.Current = latest(k.pool("pool most", pool.Name))
		pool.Seen = spread(k.pool("pool peak", pool.Name).Values, 0, 0.5, 1).Upper
		pool.Asked, pool.Hold = sizing.PoolUse{
			Used: k.pool("used by day", pool.Name).Values, Taken: k.pool("taken by day", pool.Name).Values,
			Timeouts: k.pool("late by day", pool.Name).Values,
		}.Busiest()
		// What is held for longer now than in the busiest hours counts as it is now.
		now, hold := queried(one, k.pool("pool taken", pool.Name), k.pool("pool timeouts", pool.Name))
		pool.Asked = math.Max(pool.Asked, now)
		pool.Hold.Estimate, pool.Hold.Upper = math.Max(pool.Hold.Estimate, hold.Estimate), math.Max(pool.Hold.Upper, hold.Upper)
		sized = append(sized, pool.Recommend())
	}
	return sized
}

// lastDay are the values of the last day of a coarse reading.
func lastDay(s series.Series) []float64 {
	return s.Values[max(s.Len()-int(day/coarse), 0):]
}

func (k sizes) pool(reading, name string) series.Series {
	for _, one := range k.sets[reading] {
		if poolOf(one.Labels) == name {
			return one
		}
	}
	return series.Series{Step: core.MinStep}
}

// asked is how often connections are asked for now, those included that do not
// come in time, and how long each is held, by Little's law: as usual in the last
// minutes or as now, whichever is longer.
func queried(used, taken, timeouts series.Series) (perSecond float64, hold stats.Interval) {
	held := make([]float64, 0, used.Len())
	last := math.NaN()
	for i := range min(used.Len(), taken.Len()) {
		if one := used.Values[i] / taken.Values[i]; taken.Values[i] > 0 && one > 0 {
			held = append(held, one)
			if i >= used.Len()-freshSizes {
				last = one
			}
		}
	}
	if math.IsNaN(last) {
		return math.NaN(), hold
	}
	usual := spread(held, 0.05, 0.5, 1)
	hold = stats.Interval{Lower: usual.Lower, Estimate: math.Max(usual.Estimate, last), Upper: usual.Upper}
	return latest(taken) + core.Count(latest(timeouts)), hold
}

// spread is the middle of values between two of their quantiles.
func spread(values []float64, low, middle, high float64) stats.Interval {
	sorted := stats.Observed(values)
	if len(sorted) == 0 {
		return stats.Interval{}
	}
	slices.Sort(sorted)
	return stats.Interval{Lower: stats.Quantile(sorted, low), Estimate: stats.Quantile(sorted, middle), Upper: stats.Quantile(sorted, high)}
}

func (k sizes) concurrency() sizing.Recommendation {
	return sizing.Concurrency{Service: k.Service, Demand: k.demand, Slow: spread(k.only("slow past").Values, 0.05, 0.5, 0.95),
		Wait: time.Duration(k.MaxWait).Seconds(), Current: math.NaN()}.Recommend()
}

// worstHours is the share of hours, those with most errors, that are not
// counted as ordinary.
const worstHours = 0.05

func (k sizes) breaker() sizing.Breaker {
	load, share := k.only("load by hour"), k.only("errors by hour")
	worst := spread(share.Values, 0, 0.5, 1-worstHours).Upper
	b := sizing.Breaker{Service: k.Service, Hosts: k.replicas, Slow: spread(k.only("slow past").Values, 0, 0.5, 1).Estimate,
		Use: k.demand.Highest() / (k.replicas * k.capacity.Estimate * k.Use)}
	for i := range min(load.Len(), share.Len()) {
		if requests := load.Values[i] * time.Hour.Seconds(); requests > 0 && share.Values[i] <= worst {
			b.Requests += requests
			b.Errors += requests * share.Values[i]
			b.Days += time.Hour.Hours() / 24
		}
	}
	return b
}

// carried is the quantile of misses that what lies behind a cache is believed
// to carry: it did for more than an hour.
const carried = 0.99

func (e Advisor) cacheWarm(ctx context.Context, k sizes, at time.Time, basis *core.Provenance) (sizing.Recommendation, error) {
	hits, misses := k.only("hits"), k.only("misses")
	reads := latest(hits) + latest(misses)
	warm := sizing.CacheWarm{Step: core.MinStep, WarmTime: time.Duration(k.WarmTime), HitRatio: latest(hits) / reads,
		Backend: spread(misses.Values, 0, 0.5, carried).Upper}
	if !(reads > 0) {
		warm.HitRatio = math.NaN()
		return warm.Recommend(), nil
	}
	expr := fmt.Sprintf("(%s) + (%s)", cacheHits.For(k.Service, core.RateWindow(k.scrape)), cacheMisses.For(k.Service, core.RateWindow(k.scrape)))
	ahead, err := e.course(ctx, k.Sizing, expr, max(time.Duration(k.Lead), warmHorizon), at, basis)
	warm.Course = ahead.upper
	return warm.Recommend(), err
}

func (k sizes) shed() sizing.Recommendation {
	replicas := k.replicas
	if k.MaxReplicas > 0 {
		replicas = float64(k.MaxReplicas)
	}
	return sizing.Shed{Service: k.Service, Demand: k.demand, PerReplica: k.capacity, Target: k.Use, Replicas: replicas}.Recommend()
}
