package sizing

import (
	"fmt"
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Shed is the question what share of the load not to admit.
type Shed struct {
	Service string
	Demand  Demand
	// PerReplica is the load at which a replica is fully used; Target the share
	// of it to use.
	PerReplica stats.Interval
	Target     float64
	Replicas   float64 // there will be, when the load is highest
}

// Recommend is the share of the highest load that the replicas cannot serve,
// 0 where they serve all of it, and the rate to admit at each replica.
func (s Shed) Recommend() Recommendation {
	found := Recommendation{Sizing: SizeShed, Unit: "share of requests", Current: math.NaN(), ValidFor: s.Demand.Lead}
	found.Basis = append(s.Demand.basis(),
		Quantity{"load of a replica at full use", s.PerReplica.Estimate, "requests/s"},
		Quantity{"replicas", s.Replicas, ""})
	if problem := s.Demand.problem(); problem != "" {
		return found.unknown("%s", problem)
	}
	if !loaded(s.PerReplica, s.Target) || !positive(s.Replicas) {
		return found.unknown("not enough data: what load the replicas carry is unknown")
	}
	share := func(load, capacity float64) float64 {
		if load <= 0 {
			return 0
		}
		return math.Max(0, 1-s.Replicas*capacity*s.Target/load)
	}
	found.Value = share(s.Demand.peak(), s.PerReplica.Estimate)
	found.Lower = share(s.Demand.Now, s.PerReplica.Upper)
	found.Upper = share(s.Demand.peak(), s.PerReplica.Lower)
	each := s.PerReplica.Estimate * s.Target
	found.Settings = []Quantity{{"requests to admit at a replica", each, "requests/s"}}
	if found.Value == 0 {
		found.Reason = fmt.Sprintf("%.0f replicas serve %.4g requests/s.", s.Replicas, s.Demand.peak())
	} else {
		found.Reason = fmt.Sprintf("%.0f replicas serve %.4g of %.4g requests/s.", s.Replicas, s.Replicas*each, s.Demand.peak())
		found.Constraint = "the replicas' capacity"
	}
	every := math.Max(1, math.Ceil(1/each)) // where less than one a second is admitted
	tokens := math.Max(1, math.Floor(each*every))
	found.Patches = []Patch{{"HttpFilter", "envoy.extensions.filters.http.local_ratelimit.v3", "token_bucket", patch("envoy-ratelimit", struct{ Tokens, Every float64 }{tokens, every})}}
	found.Revert = "Take the token bucket out again: everything is admitted then."
	return found
}
