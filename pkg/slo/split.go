package slo

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Cause is a kind of thing that burns budget.
type Cause string

// The causes.
const (
	Deployed   Cause = "deploy"     // of the service itself
	Dependency Cause = "dependency" // calls that failed
	Load       Cause = "load"       // more requests than usual, or fewer
	Background Cause = "usual"      // what is always bad
	Unknown    Cause = "unknown"    // an episode that nothing explains
)

// Deploy is a new version of the service.
type Deploy struct {
	Name string
	At   time.Time
}

// Called is a dependency, with its calls and those that failed by the steps of
// Counts.
type Called struct {
	Name          string
	Calls, Failed []float64
}

// Part is what one cause burnt.
type Part struct {
	Cause Cause
	Name  string // of the deploy or the dependency
	// Bad counts requests, and Budget is the part of the whole budget; both are
	// negative where fewer requests than usual came.
	Bad, Budget float64
	// From and To enclose the episodes it is counted from; zero for the usual and the
	// load.
	From, To time.Time
}

// follows is how long after a deploy an episode that begins is its.
const follows = time.Hour

// Split divides the burnt budget of the window. Its parts sum to the bad requests
// exactly: with n requests of which the share r is bad, and n₀ and r₀ as is usual,
//
//	n r = n₀ r₀ + (n−n₀)(r₀+r)/2 + (r−r₀)(n₀+n)/2,
//
// what is usual, the effect of load and the effect of errors. The last belongs, in
// an episode, to the deploy before it. Without one it belongs to the dependencies
// whose calls failed more than usual, at most as many as did; nothing is known of
// the rest. Outside of episodes it is the usual coming and going.
func (o Objective) Split(c Counts, deploys []Deploy, called []Called) []Part {
	usual, episodes := o.Usual(c)
	if math.IsNaN(usual) {
		return nil
	}
	s := splitter{counts: c, parts: map[[2]string]*Part{}}
	from := max(c.Len()-c.points(o.Window), 0)
	expected := usualRequests(c)
	excess := excesses(c, called, episodes)
	for i := from; i < c.Len(); i++ {
		n, bad := c.at(i)
		n0, r := expected[i], usual
		if math.IsNaN(c.Total[i]) {
			continue
		}
		if n > 0 {
			r = bad / n
		}
		s.add(Background, "", n0*usual, -1)
		s.add(Load, "", (n-n0)*(usual+r)/2, -1)
		errors := (r - usual) * (n0 + n) / 2
		k := slices.IndexFunc(episodes, func(e Episode) bool { return e.Start <= i && i < e.End })
		if k < 0 {
			s.add(Background, "", errors, -1)
			continue
		}
		if d := before(deploys, c, episodes[k]); d != nil {
			s.add(Deployed, d.Name, errors, i)
			continue
		}
		s.blame(called, excess, errors, i)
	}
	_, bad := c.sum(from, c.Len())
	return s.finish(bad, o.Of(c).Allowed)
}

// before is the newest deploy that an episode followed; nil for none.
func before(deploys []Deploy, c Counts, e Episode) (found *Deploy) {
	begin := c.Time(e.Start)
	for i, d := range deploys {
		// Within its step, an episode may have begun after the deploy.
		if d.At.Before(begin.Add(c.Step)) && begin.Sub(d.At) <= follows && (found == nil || d.At.After(found.At)) {
			found = &deploys[i]
		}
	}
	return found
}

type splitter struct {
	counts Counts
	parts  map[[2]string]*Part
}

// add gives bad requests of a step to a cause; -1 for no step.
func (s splitter) add(cause Cause, name string, bad float64, step int) {
	key := [2]string{string(cause), name}
	if s.parts[key] == nil {
		s.parts[key] = &Part{Cause: cause, Name: name}
	}
	p := s.parts[key]
	p.Bad += bad
	if step >= 0 {
		if p.From.IsZero() {
			p.From = s.counts.Time(step)
		}
		p.To = s.counts.Time(step + 1)
	}
}

// blame divides the effect of errors in a step over the dependencies.
func (s splitter) blame(called []Called, excess [][]float64, errors float64, step int) {
	failed := 0.0
	for j := range called {
		failed += excess[j][step]
	}
	left := errors
	if errors > 0 && failed > 0 {
		explained := min(errors, failed)
		for j, d := range called {
			if part := explained * excess[j][step] / failed; part > 0 {
				s.add(Dependency, d.Name, part, step)
				left -= part
			}
		}
	}
	s.add(Unknown, "", left, step)
}

// finish orders the parts, the largest first. What rounding lost goes to the usual.
func (s splitter) finish(bad, allowed float64) []Part {
	sum := 0.0
	parts := make([]Part, 0, len(s.parts))
	for _, p := range s.parts {
		parts = append(parts, *p)
	}
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Bad), math.Abs(a.Bad)), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Name, b.Name))
	})
	for _, p := range parts {
		sum += p.Bad
	}
	for i := range parts {
		if parts[i].Cause == Background {
			parts[i].Bad += bad - sum
		}
		if allowed > 0 {
			parts[i].Budget = parts[i].Bad / allowed
		}
	}
	return parts
}

// usualRequests is the median of the requests at the same time of day, by step; of
// all where less than three days are known.
func usualRequests(c Counts) []float64 {
	period := c.points(day)
	if c.Len() < 3*period {
		period = 1
	}
	medians := make([]float64, period)
	for phase := range period {
		var known []float64
		for i := phase; i < c.Len(); i += period {
			if !math.IsNaN(c.Total[i]) {
				known = append(known, c.Total[i])
			}
		}
		if len(known) > 0 {
			slices.Sort(known)
			medians[phase] = known[(len(known)-1)/2]
		}
	}
	expected := make([]float64, c.Len())
	for i := range expected {
		expected[i] = medians[i%period]
	}
	return expected
}

// excesses is by how many calls of each dependency more than usual failed in each
// step; of Counts that know shares only, by what share.
func excesses(c Counts, called []Called, episodes []Episode) [][]float64 {
	all := make([][]float64, len(called))
	for j, d := range called {
		all[j] = make([]float64, c.Len())
		value := func(i int) (calls, failed float64) {
			if i >= len(d.Calls) || i >= len(d.Failed) || !(d.Calls[i] > 0) || !(d.Failed[i] >= 0) || math.IsInf(d.Calls[i]+d.Failed[i], 0) {
				return 0, 0
			}
			return d.Calls[i], d.Failed[i]
		}
		calls, failed := 0.0, 0.0
		for i := range c.Len() {
			if !slices.ContainsFunc(episodes, func(e Episode) bool { return e.Start <= i && i < e.End }) {
				n, f := value(i)
				calls, failed = calls+n, failed+f
			}
		}
		usual := 0.0
		if calls > 0 {
			usual = failed / calls
		}
		for i := range all[j] {
			n, f := value(i)
			if all[j][i] = max(f-usual*n, 0); c.Shares && n > 0 {
				all[j][i] /= n
			}
		}
	}
	return all
}
