// Package propagation ranks where an anomaly of a service came from, by the
// metrics of the services alone: requests, latencies and failures over time, and
// which service calls which. No traces are needed.
//
// A caller is slow or fails when what it calls does. What a service lost beyond
// its normal level, in seconds or failed requests, is therefore compared with
// what its callees lost in the same step: the part that they account for is
// passed on to them, and the rest stays. Parts are conserved along the calls, so
// that the shares of all suspects sum to 1.
package propagation

import (
	"cmp"
	"math"
	"slices"
)

// Signal is what is abnormal of a service.
type Signal string

// The signals.
const (
	Latency  Signal = "latency"
	Failures Signal = "errors"
)

// Service holds the metrics of a service or of anything else that is called. All
// series have one value per step, NaN where there is none.
type Service struct {
	Name     string
	Requests []float64 // number in each step
	Latency  []float64 // mean, in seconds
	Failed   []float64 // share of the requests, 0–1
}

// Call says that one service calls another.
type Call struct {
	Caller, Callee string
	// Requests is the number of calls in each step; nil where only that they call
	// is known.
	Requests []float64
}

// Question asks why a service was abnormal.
type Question struct {
	Service string
	Signal  Signal
	// Recent is the first step of the time just before, and From the first step
	// of the abnormal time. Steps before Recent tell how much each metric varies.
	Recent, From int
}

// Verdict says how sure it is that the service was abnormal.
type Verdict string

// The verdicts.
const (
	Abnormal     Verdict = "abnormal"          // the suspects are the cause
	Normal       Verdict = "normal"            // nothing to explain; suspects are leads at best
	Insufficient Verdict = "insufficient_data" // no values to compare
)

// Suspect is a service to which a part of the anomaly was traced.
type Suspect struct {
	Service string
	// Share is the part of the anomaly that stayed with the service, 0–1.
	Share float64
	// Before and Now are the signal's level before, and its mean in the abnormal
	// steps: seconds, or the share of failed requests.
	Before, Now float64
	// Deviation is how far Now lies from Before, in standard deviations.
	Deviation float64
	// Onset is the first abnormal step; -1 where no single step is abnormal.
	Onset int
	// Requests is the ratio of requests now to before; NaN where unknown.
	Requests float64
	// Path are the services from the one in question to this one, along which the
	// larger part of the anomaly was passed.
	Path []string
	// NewCalls are callees that it did not call before.
	NewCalls []string
}

// Result is the suspects, the likeliest first, and the services that are abnormal
// because of them.
type Result struct {
	Verdict Verdict
	// Deviation is that of the service in question.
	Deviation float64
	Suspects  []Suspect
	// Victims are abnormal services whose anomaly was passed on to callees.
	Victims []string
	Steps   []int // the abnormal steps that were explained
}

const (
	// minDeviation is a deviation of the service in question, in standard
	// deviations, that is certainly abnormal.
	minDeviation = 4
	// certainDeviation is one of a suspect that suffices where the service in
	// question changed by minChange of a latency, or minFailures of its requests: both
	// together are no accident.
	certainDeviation       = 5
	minChange, minFailures = 0.05, 0.001
	// minShare is the least part of the anomaly that is worth naming.
	minShare = 0.02
	// maxVictim is the largest part that a victim keeps of what reached it.
	maxVictim = 0.2
)

// Explain ranks the suspects of an anomaly.
func Explain(services []Service, calls []Call, q Question) Result {
	g := newGraph(services, calls, q)
	target, known := g.index[q.Service]
	if !known || g.steps <= q.From || q.From < 0 {
		return Result{Verdict: Insufficient}
	}
	r := Result{Verdict: Insufficient}
	if !g.measured(target) {
		return r
	}
	blame := make([]float64, len(g.services))
	passed := make([]float64, len(g.services))
	origin := make([][]float64, len(g.services)) // of what a service was passed, by caller
	explained := 0.0
	for step := q.From; step < g.steps; step++ {
		losses := g.losses(target, step)
		if losses == nil {
			continue
		}
		r.Steps = append(r.Steps, step)
		kept, flows := g.spread(target, step, losses)
		for i, part := range kept {
			if part > 0 {
				part *= g.certainty(i, step)
				blame[i] += part
				explained += part
			}
		}
		for _, f := range flows {
			passed[f.from] += f.part
			origin[f.to] = append(origin[f.to], float64(f.from), f.part)
		}
	}
	r.Deviation = g.deviation(target, r.Steps)
	r.Verdict = Normal
	if explained == 0 {
		return r
	}
	strongest := 0.0
	for i, part := range blame {
		share := part / explained
		if share < minShare {
			continue
		}
		s := g.suspect(i, r.Steps)
		s.Share, s.Path = share, pathTo(i, target, origin, g.services)
		r.Suspects = append(r.Suspects, s)
		if i != target && share >= maxVictim {
			strongest = max(strongest, s.Deviation)
		}
	}
	slices.SortStableFunc(r.Suspects, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Service, b.Service))
	})
	for i, part := range passed {
		if part > maxVictim*float64(len(r.Steps)) && blame[i] < maxVictim*part {
			r.Victims = append(r.Victims, g.services[i].Name)
		}
	}
	if r.Deviation >= minDeviation || strongest >= certainDeviation && g.material(target, r.Steps) {
		r.Verdict = Abnormal
	}
	return r
}

// pathTo follows the largest part back from a service to the one in question.
func pathTo(at, target int, origin [][]float64, services []Service) []string {
	path := []string{services[at].Name}
	seen := map[int]bool{at: true}
	for at != target {
		from, best := -1, 0.0
		sums := map[int]float64{}
		for k := 0; k+1 < len(origin[at]); k += 2 {
			caller := int(origin[at][k])
			sums[caller] += origin[at][k+1]
			if part := sums[caller]; !seen[caller] && (part > best || part == best && caller < from) {
				from, best = caller, part
			}
		}
		if from < 0 {
			break
		}
		at = from
		seen[at] = true
		path = append(path, services[at].Name)
	}
	slices.Reverse(path)
	return path
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
