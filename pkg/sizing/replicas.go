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
	// Resources are what a replica may run out of, each with the load at which it
	// is fully used. The scarcest binds.
	Resources []Resource
	Current   float64 // NaN where it is unknown
	// Min and Max bound the number; 0 for the default floor, and for no cap.
	Min, Max int
}

// Resource is what bounds the load of a replica: its processor, memory, queue,
// connections or concurrent requests.
type Resource struct {
	Name string
	// PerReplica is the load at which it is fully used, in requests per second;
	// Target the share of it to use.
	PerReplica stats.Interval
	Target     float64
}

// carries is the load that a replica is to be given.
func (r Resource) carries() float64 { return r.PerReplica.Estimate * r.Target }

func (r Resource) known() bool { return loaded(r.PerReplica, r.Target) }

const (
	// DefaultMinReplicas is the floor where the user names none: one replica is
	// no service while it restarts.
	DefaultMinReplicas = 2
	// The most that the number changes at once, as the horizontal pod autoscaler
	// has it: doubling, or four more; and halving.
	maxGrowthRatio = 2
	maxGrowthCount = 4
)

// Recommend is the forecast demand over what a replica carries of the resource
// that binds: never fewer replicas than the load of now needs or the floor,
// changing at most as fast as the autoscaler would, and never above the cap.
func (r Replicas) Recommend() Recommendation {
	found := Recommendation{Sizing: SizeReplicas, Unit: "replicas", Current: orUnknown(r.Current), ValidFor: r.Demand.Lead}
	found.Basis = r.Demand.basis()
	binding, known := r.binding()
	found.Basis = append(found.Basis,
		Quantity{"load of a replica at full use", binding.PerReplica.Estimate, "requests/s"},
		Quantity{"share of it to use", binding.Target, ""})
	for _, other := range r.Resources {
		if other.known() && other.Name != binding.Name {
			found.Basis = append(found.Basis, Quantity{"load of a replica at full use of its " + other.Name, other.PerReplica.Estimate, "requests/s"})
		}
	}
	if problem := r.Demand.problem(); problem != "" {
		return found.unknown("%s", problem)
	}
	if !known {
		return found.unknown("not enough data: what load one replica carries is unknown")
	}
	needed := func(load, capacity float64) float64 { return math.Max(1, whole(load/(capacity*binding.Target))) }
	reactive := needed(r.Demand.Now, binding.PerReplica.Estimate)
	value := needed(r.Demand.peak(), binding.PerReplica.Estimate)
	found.Lower = needed(math.Max(r.Demand.Now, r.Demand.Expected), binding.PerReplica.Upper)
	found.Upper = needed(r.Demand.peak(), binding.PerReplica.Lower)
	if positive(r.Current) {
		upper := math.Floor(math.Max(r.Current*maxGrowthRatio, r.Current+maxGrowthCount))
		lower := whole(r.Current / maxGrowthRatio)
		switch {
		case value > upper:
			value, found.Constraint = upper, "scale up: at most double, or four more, at a time"
		case value < lower:
			value, found.Constraint = lower, "scale down: at most to half at a time"
		}
	}
	value = math.Max(value, reactive)
	floor := float64(r.Min)
	if r.Min <= 0 {
		floor = DefaultMinReplicas
	}
	if value < floor {
		value, found.Constraint = floor, "minimum replicas"
	}
	if ceiling := float64(r.Max); r.Max > 0 && value > ceiling {
		value, found.Constraint = ceiling, "maximum replicas"
	}
	found.Value = value
	found.Lower, found.Upper = math.Min(found.Lower, value), math.Max(found.Upper, value)
	found.Basis = append(found.Basis, Quantity{"replicas that the load now needs", reactive, "replicas"})
	found.Reason = fmt.Sprintf("%.4g requests/s within %s over %.3g requests/s a replica", r.Demand.peak(), r.Demand.Lead, binding.carries())
	if binding.Name != "" {
		found.Reason += ", which its " + binding.Name + " bounds"
	}
	found.Reason += "."
	found.Patches = []Patch{{"HorizontalPodAutoscaler", "autoscaling/v2", "spec.minReplicas", patch("autoscaler", struct {
		Service  string
		Replicas float64
	}{r.Service, value})}}
	found.Revert = "Put spec.minReplicas back to what it was; the autoscaler then follows the load by itself."
	return found
}

// binding is the resource that runs out first; false where none is known.
func (r Replicas) binding() (scarcest Resource, known bool) {
	for _, one := range r.Resources {
		if one.known() && (!known || one.carries() < scarcest.carries()) {
			scarcest, known = one, true
		}
	}
	if !known && len(r.Resources) > 0 {
		scarcest = r.Resources[0]
	}
	return scarcest, known
}
