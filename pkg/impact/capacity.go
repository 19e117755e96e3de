package impact

import (
	"math"
	"time"
)

const (
	// tolerated is the part by which the HPA lets the load deviate before it acts,
	// and calm how long it waits before it removes replicas: the defaults of
	// Kubernetes.
	tolerated = 0.1
	calm      = 5 * time.Minute
)

// Scaled is the load of a service and the replicas that served it, on one grid.
type Scaled struct {
	Service string
	Start   time.Time
	Step    time.Duration
	// Demand and Replicas are aligned; NaN is unknown.
	Demand, Replicas []float64
	// PerReplica is the load that one replica bears, in the unit of Demand.
	PerReplica float64
	// Target is the utilisation that a reactive scaler holds, 0–1; default 0.8.
	Target float64
	// StartUp is from the decision to a replica that serves. Default 1m.
	StartUp time.Duration
}

// Stretch is a time of some length.
type Stretch struct{ Start, End time.Time }

// Missed are the times in which reactive scaling alone, by the HPA's formula and
// over the same load, would have had too little capacity while the replicas that
// there were had enough. Where anything is unknown nothing is missed. The
// scaler starts each known stretch with the replicas that there were.
func (s Scaled) Missed() (missed []Stretch) {
	if !(s.PerReplica > 0) || s.Step <= 0 || math.IsInf(s.PerReplica, 0) {
		return nil
	}
	if !(s.Target > 0 && s.Target <= 1) {
		s.Target = 0.8
	}
	if s.StartUp <= 0 {
		s.StartUp = time.Minute
	}
	delay := int(math.Ceil(float64(s.StartUp) / float64(s.Step)))
	window := int(math.Ceil(float64(calm) / float64(s.Step)))
	var wanted []float64 // by the scaler, in the present known stretch
	current := math.NaN()
	for i := range min(len(s.Demand), len(s.Replicas)) {
		demand, there := s.Demand[i], s.Replicas[i]
		if !finite(demand) || !finite(there) || there < 1 {
			wanted, current = nil, math.NaN()
			continue
		}
		if len(wanted) == 0 {
			current = there
		}
		// What was decided a start-up ago serves now; removal is at once.
		if decided := len(wanted) - delay; decided >= 0 {
			current = math.Max(current, wanted[decided])
		}
		if len(wanted) > 0 {
			current = math.Min(current, most(wanted, max(window, delay+1)))
		}
		at := s.Start.Add(time.Duration(i) * s.Step)
		if current*s.PerReplica < demand && demand <= there*s.PerReplica {
			missed = extend(missed, at, at.Add(s.Step))
		}
		next := current
		if load := demand / (current * s.PerReplica * s.Target); math.Abs(load-1) > tolerated {
			next = math.Max(1, math.Ceil(current*load))
		}
		wanted = append(wanted, next)
	}
	return missed
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// most is the largest of the last n values.
func most(values []float64, n int) float64 {
	largest := math.Inf(-1)
	for _, v := range values[max(0, len(values)-n):] {
		largest = math.Max(largest, v)
	}
	return largest
}

// extend adds a step to the last stretch, or begins another.
func extend(stretches []Stretch, start, end time.Time) []Stretch {
	if n := len(stretches); n > 0 && stretches[n-1].End.Equal(start) {
		stretches[n-1].End = end
		return stretches
	}
	return append(stretches, Stretch{start, end})
}
