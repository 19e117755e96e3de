package sizing

import (
	"fmt"
	"math"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Replicas is the question how many replicas a service needs.
type Replicas struct {
	Service string
	Demand  Demand
	// PerReplica is the load at which a replica is fully used, in requests per
	// second; Target the share of it to use.
	PerReplica stats.Interval
	Target     float64
	Current    float64 // NaN where it is not known
	// Min and Max bound the number; 0 for no bound.
	Min, Max int
}

// The most that the number changes at once, as the horizontal pod autoscaler
// has it: doubling, or four more; and halving.
const (
	mostGrowth = 2
	mostMore   = 4
)

// Recommend is the forecast demand over what a replica carries: never fewer
// replicas than the load of now needs, changing at most as fast as the
// autoscaler would, and never above the cap.
func (r Replicas) Recommend() Recommendation {
	found := Recommendation{Sizing: SizeReplicas, Unit: "replicas", Current: orUnknown(r.Current), ValidFor: r.Demand.Lead}
	found.Basis = append(r.Demand.basis(),
		Quantity{"load of a replica at full use", r.PerReplica.Estimate, "requests/s"},
		Quantity{"share of it to use", r.Target, ""})
	if problem := r.Demand.problem(); problem != "" {
		return found.unknown("%s", problem)
	}
	if !loaded(r.PerReplica, r.Target) {
		return found.unknown("not enough data: what load one replica carries is not known")
	}
	needed := func(load, capacity float64) float64 { return math.Max(1, whole(load/(capacity*r.Target))) }
	reactive := needed(r.Demand.Now, r.PerReplica.Estimate)
	value := needed(r.Demand.peak(), r.PerReplica.Estimate)
	found.Lower = needed(math.Max(r.Demand.Now, r.Demand.Expected), r.PerReplica.Upper)
	found.Upper = needed(r.Demand.peak(), r.PerReplica.Lower)
	if positive(r.Current) {
		most := math.Floor(math.Max(r.Current*mostGrowth, r.Current+mostMore))
		least := whole(r.Current / mostGrowth)
		switch {
		case value > most:
			value, found.Constraint = most, "growth: at most double, or four more, at once"
		case value < least:
			value, found.Constraint = least, "shrinking: at most to half at once"
		}
	}
	value = math.Max(value, reactive)
	if least := float64(r.Min); value < least {
		value, found.Constraint = least, "fewest replicas"
	}
	if most := float64(r.Max); r.Max > 0 && value > most {
		value, found.Constraint = most, "most replicas"
	}
	found.Value = value
	found.Lower, found.Upper = math.Min(found.Lower, value), math.Max(found.Upper, value)
	found.Basis = append(found.Basis, Quantity{"replicas that the load now needs", reactive, "replicas"})
	found.Reason = fmt.Sprintf("%.4g requests/s within %s over %.3g requests/s a replica.", r.Demand.peak(), r.Demand.Lead, r.PerReplica.Estimate*r.Target)
	found.Patches = []Patch{{"HorizontalPodAutoscaler", "autoscaling/v2", "spec.minReplicas", fmt.Sprintf(
		"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: %q\nspec:\n  minReplicas: %.0f\n", r.Service, value)}}
	found.Revert = "Put spec.minReplicas back to what it was; the autoscaler then follows the load by itself."
	return found
}
