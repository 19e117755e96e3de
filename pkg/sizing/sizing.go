// Package sizing recommends sizes for the load that is forecast: replicas, pools,
// concurrency limits, breakers, and when to warm a cache. Each recommendation
// states its bounds and what it rests on.
package sizing

import (
	"fmt"
	"math"
	"time"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Sizing names what a recommendation is about.
type Sizing string

// What can be recommended.
const (
	SizeReplicas    Sizing = "replicas"
	SizePool        Sizing = "pool_size"
	SizeConcurrency Sizing = "max_concurrency"
	SizeOutliers    Sizing = "outlier_detection"
	SizeBreaker     Sizing = "circuit_breaker"
	SizeCacheWarm   Sizing = "cache_warm"
	SizeShed        Sizing = "load_shed"
)

// Recommendation is a number for a setting, with all that is needed to judge,
// apply and revert it. Foresight itself applies nothing.
type Recommendation struct {
	Sizing Sizing
	// Subject is which of several is meant, as a pool's name; empty for the
	// service itself.
	Subject string
	Unit    string
	// Value is the recommended number; NaN where there is none, as Problem or
	// Reason say. Current is the present one, NaN where it is unknown.
	Value, Current float64
	// Lower and Upper are what the number may have to be, given what is
	// uncertain of demand and capacity; not cut off at constraints.
	Lower, Upper float64
	// Reason is the recommendation in a sentence.
	Reason string
	// Basis is what it was worked out from.
	Basis []Quantity
	// Settings are further fields that belong to it.
	Settings []Quantity
	// Constraint is the limit that was hit; empty for none.
	Constraint string
	ValidFor   time.Duration
	Patches    []Patch
	Revert     string
	// Problem is why there is no number, as "not enough data: …".
	Problem string
}

// Quantity is a number with a name and a unit.
type Quantity struct {
	Name  string
	Value float64
	Unit  string
}

// Patch is a change of configuration as text, for those who apply it.
type Patch struct{ Kind, APIVersion, Path, Text string }

// Settings that are rarely changed hold for a day, on whose highest load they
// rest.
const settled = 24 * time.Hour

// Demand is the load of a service, in requests per second.
type Demand struct {
	Now float64
	// Expected and Peak are the highest load within Lead: as expected, and at
	// Quantile.
	Expected, Peak float64
	Lead           time.Duration
	Quantile       float64
	// Seen is the highest load of the last day; 0 where it is unknown.
	Seen float64
}

func (d Demand) problem() string {
	for _, value := range []float64{d.Now, d.Expected, d.Peak} {
		if !(value >= 0 && value <= largest) {
			return "not enough data: the load of the next minutes is unknown"
		}
	}
	return ""
}

// peak is never less than now: a forecast only ever adds capacity.
func (d Demand) peak() float64 { return math.Max(d.Peak, d.Now) }

// Highest is what settings must bear that are not changed from hour to hour.
func (d Demand) Highest() float64 {
	if positive(d.Seen) {
		return math.Max(d.peak(), d.Seen)
	}
	return d.peak()
}

func (d Demand) basis() []Quantity {
	return []Quantity{
		{"load now", d.Now, "requests/s"},
		{"highest load expected", d.Expected, "requests/s"},
		{fmt.Sprintf("highest load at quantile %g", d.Quantile), d.peak(), "requests/s"},
		{"lead time", d.Lead.Seconds(), "s"},
	}
}

// unknown is a recommendation without a number.
func (r Recommendation) unknown(format string, arguments ...any) Recommendation {
	r.Value, r.Lower, r.Upper = math.NaN(), math.NaN(), math.NaN()
	r.Problem = fmt.Sprintf(format, arguments...)
	return r
}

// whole rounds up, but not for the sake of rounding errors.
func whole(x float64) float64 { return math.Ceil(x - 1e-9*math.Abs(x)) }

// positive tells a number that a metric may well show from nothing and from
// what cannot be true.
func positive(x float64) bool { return x >= 1/largest && x <= largest }

const largest = 1e12

// loaded says whether capacity and the share of it to use are known.
func loaded(perReplica stats.Interval, target float64) bool {
	return ordered(perReplica) && target >= 0.01 && target <= 1
}

func ordered(i stats.Interval) bool {
	return positive(i.Lower) && positive(i.Upper) && i.Lower <= i.Estimate && i.Estimate <= i.Upper
}

func orUnknown(x float64) float64 {
	if positive(x) {
		return x
	}
	return math.NaN()
}
