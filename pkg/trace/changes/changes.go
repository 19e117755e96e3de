// Package changes ranks the releases of one half hour by how likely each is to
// blame. It compares what a release changed with what it left alone: new pods with
// old pods of the same service in the same minutes, since whatever comes from
// elsewhere hits both. Where no old pods are left, it is the change from before to
// after, without what the callees account for, against that of the services that
// were not released (difference in differences).
package changes

import (
	"cmp"
	"math"
	"slices"
)

// Flow is what was measured by minute; NaN or zero requests where nothing was.
type Flow struct {
	Requests, Errors, Latency []float64 // counts, counts, mean in milliseconds
}

// Pod is one pod of a service.
type Pod struct {
	Service string
	New     bool // it runs the released version
	Flow
}

// Edge is the calls from the pods of one version of a service to another one.
type Edge struct {
	From, To string
	FromNew  bool
	Flow
}

// Release is a change of a service, at a minute of the flows.
type Release struct {
	Service string
	Minute  int
}

// Case is what is known of some releases.
type Case struct {
	Releases []Release
	Pods     []Pod
	Edges    []Edge
}

// Suspect is a release with the evidence against it.
type Suspect struct {
	Release
	// Score is how many standard deviations the release's own effect is worse
	// than chance, of errors or latency, whichever is more.
	Score float64
	// Errors is the added share of failed requests, Slower the ratio of latencies.
	Errors, Slower float64
	// Controlled says that old and new pods served in the same minutes, and Judged
	// that there was anything to compare.
	Controlled, Judged bool
}

const (
	// warmUp is how many minutes of a new pod are not judged.
	warmUp = 2
	// minMinutes are the fewest that a comparison takes.
	minMinutes = 3
	// podDrift is how much the logarithm of a sound pod's latency differs from
	// another's, and errorDrift the logarithm of its share of errors: few pods
	// cannot tell by themselves.
	podDrift   = 0.05
	errorDrift = 0.3
)

// Rank orders the releases, the likeliest to blame first.
func Rank(c Case) []Suspect {
	suspects := make([]Suspect, len(c.Releases))
	for i, r := range c.Releases {
		suspects[i] = c.controlled(r)
		if !suspects[i].Controlled {
			suspects[i] = c.beforeAndAfter(r)
		}
	}
	slices.SortStableFunc(suspects, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Service, b.Service))
	})
	return suspects
}

// total sums up a flow over some minutes.
type total struct{ requests, errors, latency float64 } // latency times requests

func (t *total) add(f Flow, minute int) {
	if minute < 0 || minute >= min(len(f.Requests), len(f.Errors), len(f.Latency)) || !(f.Requests[minute] > 0) || math.IsNaN(f.Errors[minute]+f.Latency[minute]) {
		return
	}
	t.requests += f.Requests[minute]
	t.errors += f.Errors[minute]
	t.latency += f.Requests[minute] * f.Latency[minute]
}

func (t total) mean() float64 { return t.latency / t.requests }

// serves tells whether a pod has served in a minute, warm-up apart.
func (p Pod) serves(minute int) bool {
	if minute >= len(p.Requests) || !(p.Requests[minute] > 0) {
		return false
	}
	return !p.New || minute >= warmUp && p.Requests[minute-warmUp] > 0
}

// controlled compares new with old pods of one service in the minutes in which
// both served. Pods are the unit: what differs between any two pods is no effect
// of the release.
func (c Case) controlled(r Release) Suspect {
	var pods []Pod
	minutes := 0
	for _, p := range c.Pods {
		if p.Service == r.Service {
			pods, minutes = append(pods, p), max(minutes, len(p.Requests))
		}
	}
	totals := make([]total, len(pods))
	shared := 0
	for minute := range minutes {
		serving := func(version bool) bool {
			return slices.ContainsFunc(pods, func(p Pod) bool { return p.New == version && p.serves(minute) })
		}
		if !serving(true) || !serving(false) {
			continue
		}
		shared++
		for i, p := range pods {
			if p.serves(minute) {
				totals[i].add(p.Flow, minute)
			}
		}
	}
	s := Suspect{Release: r, Controlled: shared >= minMinutes}
	var old, fresh group
	for i, p := range pods {
		if p.New {
			fresh.add(totals[i])
		} else {
			old.add(totals[i])
		}
	}
	if old.pods == 0 || fresh.pods == 0 {
		s.Controlled = false
	}
	if s.Controlled {
		s.judge(old, fresh)
	}
	return s
}

// group is the pods of one version.
type group struct {
	total
	pods float64
	logs []float64 // of the latencies
}

func (g *group) add(t total) {
	if t.requests > 0 {
		g.requests += t.requests
		g.errors += t.errors
		g.latency += t.latency
		g.pods++
		if t.latency > 0 {
			g.logs = append(g.logs, math.Log(t.mean()))
		}
	}
}

// judge weighs the difference between two groups against chance and against what
// sound pods differ by.
func (s *Suspect) judge(before, after group) {
	s.Judged = true
	// Half an error more keeps shares off zero.
	p, q := (before.errors+0.5)/(before.requests+1), (after.errors+0.5)/(after.requests+1)
	pooled := (before.errors + after.errors + 1) / (before.requests + after.requests + 2)
	variance := pooled*(1-pooled)*(1/before.requests+1/after.requests) +
		pooled*pooled*errorDrift*errorDrift*(1/before.pods+1/after.pods)
	s.Errors = q - p
	s.Slower = 1
	errors := (q - p) / math.Sqrt(variance)
	slow := 0.0
	if len(before.logs) > 0 && len(after.logs) > 0 {
		a, spreadA := meanAndSpread(before.logs)
		b, spreadB := meanAndSpread(after.logs)
		s.Slower = math.Exp(b - a)
		slow = (b - a) / math.Sqrt((spreadA*spreadA+podDrift*podDrift)/float64(len(before.logs))+(spreadB*spreadB+podDrift*podDrift)/float64(len(after.logs)))
	}
	s.Score = math.Max(errors, slow)
}

func meanAndSpread(x []float64) (mean, spread float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	if len(x) < 2 {
		return mean, 0
	}
	for _, v := range x {
		spread += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(spread)
}

// window is how many minutes before and after a release are compared.
const window = 10

// beforeAndAfter compares a service before and after its release, less what its
// callees account for, and less what services that were not released went
// through meanwhile.
func (c Case) beforeAndAfter(r Release) Suspect {
	s := Suspect{Release: r, Slower: 1}
	before, after := c.own(r.Service, r.Minute-window, r.Minute), c.own(r.Service, r.Minute+warmUp, r.Minute+warmUp+window)
	if before.pods == 0 || after.pods == 0 {
		return s
	}
	s.judge(before, after)
	var others []float64
	for _, service := range c.unreleased() {
		control := Suspect{}
		b, a := c.own(service, r.Minute-window, r.Minute), c.own(service, r.Minute+warmUp, r.Minute+warmUp+window)
		if b.pods > 0 && a.pods > 0 {
			control.judge(b, a)
			others = append(others, control.Score)
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		s.Score -= math.Max(0, others[len(others)/2])
	}
	return s
}

// own is what a service did by itself in some minutes: its pods' flow without
// what was waited for, or failed, in its callees.
func (c Case) own(service string, from, to int) group {
	var callees total
	var pods []total
	requests := 0.0
	for _, p := range c.Pods {
		if p.Service != service {
			continue
		}
		var t total
		for minute := max(from, 0); minute < to; minute++ {
			if p.serves(minute) {
				t.add(p.Flow, minute)
			}
		}
		pods, requests = append(pods, t), requests+t.requests
	}
	for _, e := range c.Edges {
		for minute := max(from, 0); e.From == service && minute < to; minute++ {
			callees.add(e.Flow, minute)
		}
	}
	var g group
	for _, t := range pods {
		if t.requests > 0 {
			share := t.requests / requests
			// A hundredth of the latency is always its own.
			t.latency = math.Max(t.latency-callees.latency*share, t.latency/100)
			t.errors = math.Max(t.errors-callees.errors*share, 0)
			g.add(t)
		}
	}
	return g
}

// unreleased are the services without a release.
func (c Case) unreleased() []string {
	var services []string
	for _, p := range c.Pods {
		released := slices.ContainsFunc(c.Releases, func(r Release) bool { return r.Service == p.Service })
		if !released && !slices.Contains(services, p.Service) {
			services = append(services, p.Service)
		}
	}
	return services
}
