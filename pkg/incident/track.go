package incident

import (
	"cmp"
	"slices"
)

// tracked is an incident that is followed from step to step.
type tracked struct {
	id string
	// created and seen are the first and the last step with a group of it; settle is
	// how many steps it must last until it is reported, and reported when it was.
	created, seen, settle, reported int
	members                         map[int]*Member
	group                           *group
	snapshot                        *snapshot // with the group, the last time that it was seen
	absorbed                        bool
}

const (
	// settled is how many steps pass until an incident is reported: what is deepest
	// may be certain later than what it harms. A part that comes off an incident
	// must last longer to be another.
	settled, settledApart = 2, 8
	// reopens is how many steps after its end the same services are the same
	// incident.
	reopens = 15
	// lingers is how many steps an incident stays active without anything abnormal.
	lingers = 3
)

// replay follows the incidents step by step.
func (m *fleet) replay() []*tracked {
	var all []*tracked
	for _, step := range m.eventful() {
		s := m.look(step)
		groups := s.groups()
		taken := map[*tracked]bool{}
		matched := matches(all, s, groups)
		for _, t := range matched {
			taken[t] = true
		}
		for _, g := range groups {
			t := matched[g]
			if t == nil {
				if of := origin(all, s, g); of != nil {
					taken[of] = true
					of.see(s, nil, g)
					continue
				}
				t = &tracked{created: step, settle: settled, reported: -1, members: map[int]*Member{}}
				if slices.ContainsFunc(all, func(o *tracked) bool { return o.holds(s, g, 0) }) {
					t.settle = settledApart
				}
				all = append(all, t)
			}
			taken[t] = true
			t.see(s, g, g)
		}
		absorb(all, s, taken)
		name(all, step)
	}
	return all
}

// eventful are the steps in which anything is abnormal.
func (m *fleet) eventful() (steps []int) {
	on := make([]bool, m.steps)
	for _, e := range m.episodes {
		for i := e.known; i < min(e.over, m.steps); i++ {
			on[i] = true
		}
	}
	for i, is := range on {
		if is {
			steps = append(steps, i)
		}
	}
	return steps
}

// matches finds the incidents that groups continue, the surest first.
func matches(all []*tracked, s *snapshot, groups []*group) map[*group]*tracked {
	type pair struct {
		group, tracked, score int
	}
	var pairs []pair
	for i, g := range groups {
		for k, t := range all {
			if t.absorbed || s.step-t.seen > reopens {
				continue
			}
			if score := t.likeness(s, g); score > 0 {
				pairs = append(pairs, pair{i, k, score})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.score, a.score) })
	matched, taken := map[*group]*tracked{}, map[int]bool{}
	for _, p := range pairs {
		if g := groups[p.group]; matched[g] == nil && !taken[p.tracked] {
			matched[g], taken[p.tracked] = all[p.tracked], true
		}
	}
	return matched
}

// likeness is how surely a group continues an incident: by where it began, and then
// by whether that was a part of it. What it harms may have several causes.
func (t *tracked) likeness(s *snapshot, g *group) (score int) {
	for _, r := range g.roots {
		if t.isRoot(s.nodes[r].service) {
			score += 100
		} else if t.members[s.nodes[r].service] != nil {
			score += 10
		}
	}
	for _, k := range g.nodes {
		if t.isRoot(s.nodes[k].service) {
			score += 50
		}
	}
	if t.reported >= 0 && score > 0 {
		score++
	}
	return score
}

func (t *tracked) isRoot(service int) bool {
	return t.group != nil && slices.ContainsFunc(t.group.roots, func(r int) bool { return t.snapshot.nodes[r].service == service })
}

// origin is the incident that a group belongs to although nothing explains it any
// more: what lingers of an incident whose begin is over, what was a part of it for
// long, and what else goes wrong beside one of most of the fleet.
func origin(all []*tracked, s *snapshot, g *group) *tracked {
	for _, t := range all {
		if t.holds(s, g, settledApart) || t.holds(s, g, 0) && t.rootsOver(s) || t.isFleetWide(s, g) {
			return t
		}
	}
	return nil
}

// holds tells whether all roots of a group have been a part of an incident that is
// not long over, for some steps.
func (t *tracked) holds(s *snapshot, g *group, steps int) bool {
	if t.absorbed || s.step-t.seen > reopens {
		return false
	}
	checked := g.roots
	if !slices.ContainsFunc(g.roots, func(r int) bool { return !s.nodes[r].faint }) {
		checked = g.nodes
	}
	return !slices.ContainsFunc(checked, func(k int) bool {
		member := t.members[s.nodes[k].service]
		return !s.nodes[k].faint && (member == nil || s.step-member.joined < steps)
	})
}

const (
	// fleetWide is the part of the services, as 1/fleetWide, whose failure shakes all
	// others, so that what goes wrong next to it is not told apart.
	fleetWide = 3
	// shaken is for how many steps after an incident began that holds.
	shaken = 30
)

// isFleetWide tells whether an incident is of so much of the fleet that a small
// group that begins beside it is a part of it.
func (t *tracked) isFleetWide(s *snapshot, g *group) bool {
	if t.absorbed || t.seen < s.step-1 || len(t.members) <= max(4*minShared, len(s.fleet.services)/fleetWide) || len(g.roots) > 1 ||
		4*len(g.nodes) > len(t.members) || g.start < t.group.start-tolerance || g.start > t.group.start+shaken {
		return false
	}
	root := s.nodes[g.roots[0]].service
	near := func(other int) bool { return t.members[other] != nil }
	return slices.ContainsFunc(s.fleet.callers[root], near) || slices.ContainsFunc(s.fleet.callees[root], near)
}

// rootsOver tells whether nothing is left of where an incident began.
func (t *tracked) rootsOver(s *snapshot) bool {
	for _, r := range t.group.roots {
		if _, is := s.of[t.snapshot.nodes[r].service]; is {
			return false
		}
	}
	return true
}

// see notes what belongs to an incident; g is nil for what lingers of it.
func (t *tracked) see(s *snapshot, g, with *group) {
	t.seen = s.step
	if g != nil {
		t.group, t.snapshot = g, s
	}
	for _, k := range with.nodes {
		n := s.nodes[k]
		member := t.members[n.service]
		if member == nil {
			first := n.episodes[0]
			member = &Member{joined: s.step, Service: s.fleet.services[n.service].Name, Start: n.start, Before: first.level}
			t.members[n.service] = member
		}
		for _, e := range n.episodes {
			if !slices.Contains(member.Signals, e.signal) {
				member.Signals = append(member.Signals, e.signal)
			}
		}
		if n.because >= 0 {
			member.Because = s.fleet.services[s.nodes[n.because].service].Name
		} else if g != nil {
			member.Because = ""
			if g.dependency >= 0 {
				member.Because = s.fleet.services[g.dependency].Name
			}
		}
		member.Deviation = max(member.Deviation, s.size(n))
		if now := worst(s, n, member.Signals[0]); now > member.Now || member.Signals[0] == Silence || member.Signals[0] == Lost {
			member.Now = now
		}
	}
}

// worst is the value of a signal at the step.
func worst(s *snapshot, n *node, signal Signal) float64 {
	service := s.fleet.services[n.service]
	v := at(service.Requests, s.step)
	switch signal {
	case Latency:
		v = at(service.Latency, s.step)
	case Failures:
		v = at(service.Failed, s.step)
	case Lost:
		v = arriving(service, s.step, s.step)
	}
	if !finite(v) {
		return 0
	}
	return v
}

// absorb ends incidents whose roots turned out to be a part of another.
func absorb(all []*tracked, s *snapshot, taken map[*tracked]bool) {
	for _, t := range all {
		if t.absorbed || taken[t] || t.group == nil {
			continue
		}
		for other := range taken {
			if other == t || other.seen != s.step {
				continue
			}
			inside := 0
			for _, r := range t.group.roots {
				service := t.snapshot.nodes[r].service
				if k, is := s.of[service]; is && other.group != nil && slices.Contains(other.group.nodes, k) {
					inside++
				}
			}
			if 2*inside > len(t.group.roots) {
				t.absorbed = true
			}
		}
	}
}

// name reports incidents that have lasted, each under the name of what is suspected
// then.
func name(all []*tracked, step int) {
	for _, t := range all {
		if t.absorbed || t.reported >= 0 || t.seen != step || step < t.created+t.settle {
			continue
		}
		t.reported = step
		id := t.suspected()
		for slices.ContainsFunc(all, func(o *tracked) bool { return o != t && o.id == id && !o.absorbed && step-o.seen <= reopens }) {
			id += "'"
		}
		t.id = id
	}
}

// suspected names where an incident began.
func (t *tracked) suspected() string {
	g, s := t.group, t.snapshot
	if g.dependency >= 0 {
		return s.fleet.services[g.dependency].Name
	}
	return s.fleet.services[s.nodes[t.deepest()].service].Name
}

// deepest is the root that lost the most; of several, the first.
func (t *tracked) deepest() int {
	s := t.snapshot
	best := t.group.roots[0]
	for _, r := range t.group.roots[1:] {
		if s.harm(r) > s.harm(best) {
			best = r
		}
	}
	return best
}

// harm of a root is how many nodes it explains, and then how far it deviates.
func (s *snapshot) harm(root int) float64 {
	n := 0
	for _, other := range s.nodes {
		if other.root == root {
			n++
		}
	}
	return float64(n) + min(0.99, s.size(s.nodes[root])/1000)
}
