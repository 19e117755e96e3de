package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	// beforeChange is how many steps before the begin a change is suspected, and
	// afterChange how many after, since begins and arrivals are not exact.
	beforeChange, afterChange = 60, 2
	// inPlace is the part of abnormal services that must be abnormal in one place.
	inPlace = 0.6
)

// report describes an incident; not one that did not last.
func (m *fleet) report(t *tracked) (Incident, bool) {
	last := m.steps - 1
	if t.absorbed || t.reported < 0 && t.seen < last {
		return Incident{}, false
	}
	i := Incident{ID: t.id, Start: t.group.start, Reported: t.reported, End: t.end(), State: Active}
	switch {
	case t.reported < 0:
		i.State, i.ID = Developing, t.suspected()
	case t.seen < last-lingers:
		i.State = Resolved
	}
	if i.End <= m.record.From {
		return Incident{}, false
	}
	for _, member := range t.members {
		i.Members = append(i.Members, *member)
		i.Start = min(i.Start, member.Start)
	}
	slices.SortFunc(i.Members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(depth(t.members, m, b), depth(t.members, m, a)), cmp.Compare(a.Service, b.Service))
	})
	i.Deepest = t.suspected()
	i.Cause = t.cause()
	i.Affected = t.affected()
	return i, true
}

// depth is how many explanations lead to a member from where an incident began,
// negative: what is deeper went wrong first where steps do not tell.
func depth(members map[int]*Member, m *fleet, of Member) int {
	n := 0
	for at := &of; at != nil && at.Because != "" && n < len(members); n++ {
		at = members[m.index[at.Because]]
	}
	return -n
}

// end is the step after the last abnormal one.
func (t *tracked) end() int {
	m := t.snapshot.fleet
	end := 0
	for service := range t.members {
		for _, k := range m.of[service] {
			if e := m.episodes[k]; e.known <= t.seen && e.over > t.created {
				end = max(end, min(e.end, m.steps))
			}
		}
	}
	return max(end, t.created+1)
}

// affected is the harm at the services that nothing else of the incident calls.
func (t *tracked) affected() (sum float64) {
	s := t.snapshot
	for _, k := range t.group.nodes {
		n := s.nodes[k]
		inside := slices.ContainsFunc(s.fleet.callers[n.service], func(c int) bool {
			other, is := s.of[c]
			return is && slices.Contains(t.group.nodes, other) && s.nodes[other].because == k
		})
		if inside {
			continue
		}
		switch {
		case n.has(Latency) != nil:
			sum += mean(s.fleet.services[n.service].Requests, max(n.start, s.step-recent+1), s.step)
		case n.has(Failures) != nil:
			sum += s.fleet.excess(n.has(Failures), s.step)
		case n.has(Lost) != nil:
			from := max(n.start, s.step-recent+1)
			sum += max(0, n.has(Lost).level-arriving(s.fleet.services[n.service], from, s.step)) * mean(s.fleet.services[n.service].Sent, from, s.step)
		default:
			sum += max(0, n.has(Silence).level-mean(s.fleet.services[n.service].Requests, max(n.start, s.step-recent+1), s.step))
		}
	}
	return sum
}

// cause weighs what an incident may come from.
func (t *tracked) cause() Cause {
	s, g := t.snapshot, t.group
	root := s.nodes[t.deepest()]
	service := s.fleet.services[root.service].Name
	var evidence []Evidence
	note := func(holds bool, format string, arguments ...any) {
		evidence = append(evidence, Evidence{holds, fmt.Sprintf(format, arguments...)})
	}
	change, changed := s.changeOf(root)
	if g.dependency >= 0 {
		name := s.fleet.services[g.dependency].Name
		note(true, "%d services that call %s went wrong together, and nothing else that they call is abnormal", len(g.roots), name)
		if well := s.wellCallers(g.dependency); len(well) > 0 {
			note(false, "%s, which also call it, are well", strings.Join(well, ", "))
		}
		note(false, "%s has no metrics of its own that show it", name)
		return Cause{CauseDependency, name, "what its callers have in common", evidence}
	}
	if len(g.roots) > 1 && g.kind != CauseLoad {
		note(true, "%d services went wrong within %d steps, and none of them explains the others", len(g.roots), together)
		if kind, name, share := s.placeOf(g); name != "" {
			note(true, "%.0f %% of the abnormal services that tell where they run are abnormal in %s %s and well elsewhere", 100*share, kind, name)
			return Cause{CausePlace, name, kind + " " + name, evidence}
		}
		if g.kind == CauseTelemetry {
			note(true, "they only fell silent: none of them fails or is slow, and neither are their callers")
			return Cause{CauseTelemetry, "", "metrics of several services are missing", evidence}
		}
		return Cause{CauseShared, "", "something that they share and that is not on the map", evidence}
	}
	if lost := root.has(Lost); lost != nil {
		s.noteLost(root, lost, note)
		if !changed {
			t.noteDepth(root, note)
			note(false, "no change of %s is known in the %d steps before", service, beforeChange)
			return Cause{CauseDemand, service, "requests to " + service + " are lost before they arrive", evidence}
		}
	}
	if root.onlySilent() {
		s.noteDemand(root, note)
		if s.callersWell(root) {
			note(true, "%s fell silent, and none of its callers is abnormal", service)
			return Cause{CauseTelemetry, service, "its metrics are missing", evidence}
		}
		note(true, "%s fell silent", service)
	}
	t.noteDepth(root, note)
	if entry, is := s.loadOf(root); is {
		ratio := growth(s.fleet.services[root.service].Requests, root.start, s.step)
		note(true, "%s has %.1f times as many requests as before", service, ratio)
		if !changed {
			name := s.fleet.services[entry].Name
			note(false, "no change of %s is known in the %d steps before", service, beforeChange)
			return Cause{CauseLoad, name, "more requests, which come from " + name, evidence}
		}
	}
	if kind, name, share := s.placeOf(g); name != "" {
		note(true, "%.0f %% of the abnormal services that tell where they run are abnormal in %s %s and well elsewhere", 100*share, kind, name)
		return Cause{CausePlace, name, kind + " " + name, evidence}
	}
	if changed {
		note(true, "%s, %d steps before it went wrong", change.Text, max(0, root.start-change.Step))
		return Cause{CauseChange, service, change.Text, evidence}
	}
	note(false, "no change of %s is known in the %d steps before", service, beforeChange)
	return Cause{CauseService, service, "the deepest service that is abnormal", evidence}
}

// noteDepth says why a root is the deepest.
func (t *tracked) noteDepth(root *node, note func(bool, string, ...any)) {
	s := t.snapshot
	callees := s.fleet.callees[root.service]
	if harmed := len(t.group.nodes) - 1; harmed > 0 {
		note(true, "%d abnormal services are explained by it, along the calls", harmed)
	}
	var abnormal, peers []string
	for _, c := range callees {
		at, is := s.of[c]
		switch {
		case is && s.nodes[at].because >= 0 && s.nodes[s.nodes[at].because] == root:
			peers = append(peers, s.fleet.services[c].Name)
		case is:
			abnormal = append(abnormal, s.fleet.services[c].Name)
		}
	}
	if len(peers) > 0 {
		note(true, "%s, which only callers measure, is abnormal for its requests, and no other caller of it is abnormal", strings.Join(peers, ", "))
	}
	switch {
	case len(peers) > 0 && len(abnormal) == 0:
	case len(abnormal) > 0:
		note(false, "%s, which it calls, is abnormal too, but accounts for too little of it", strings.Join(abnormal, ", "))
	case len(callees) > 0:
		note(true, "none of the %d that it calls is abnormal", len(callees))
	}
}

// changeOf is the newest change of a node just before it went wrong.
func (s *snapshot) changeOf(n *node) (newest Change, is bool) {
	for _, c := range s.fleet.record.Changes {
		if c.Service != s.fleet.services[n.service].Name || c.Step < n.start-beforeChange || c.Step > n.start+afterChange {
			continue
		}
		if !is || c.Step > newest.Step {
			newest, is = c, true
		}
	}
	return newest, is
}

// callersWell tells whether no caller of a node is abnormal.
func (s *snapshot) callersWell(n *node) bool {
	return !slices.ContainsFunc(s.fleet.callers[n.service], func(c int) bool { _, is := s.of[c]; return is })
}

// wellCallers are callers of a dependency that are not abnormal.
func (s *snapshot) wellCallers(dependency int) (names []string) {
	for _, c := range s.fleet.callers[dependency] {
		if _, is := s.of[c]; !is {
			names = append(names, s.fleet.services[c].Name)
		}
	}
	slices.Sort(names)
	return names
}

// placeOf is the place in which the roots of a group are abnormal, and the part of
// those that name places.
func (s *snapshot) placeOf(g *group) (kind, name string, share float64) {
	votes := map[[2]string]int{}
	telling := 0
	for _, r := range g.roots {
		n := s.nodes[r]
		places := s.fleet.services[n.service].Places
		if len(places) < 2 {
			continue
		}
		telling++
		if only, is := s.onlyPlace(n, places); is {
			votes[only]++
		}
	}
	if telling < 2 {
		return "", "", 0
	}
	for key, n := range votes {
		if part := float64(n) / float64(telling); part >= inPlace && (part > share || part == share && key[1] < name) {
			kind, name, share = key[0], key[1], part
		}
	}
	return kind, name, share
}

// onlyPlace is the one place in which a node fails or fell silent.
func (s *snapshot) onlyPlace(n *node, places []Place) (only [2]string, is bool) {
	for _, p := range places {
		before, now := mean(p.Failed, n.start-60, n.start-lag), mean(p.Failed, n.start, s.step)
		if now-before < minShare && growth(p.Requests, n.start, s.step) > silent && mean(p.Requests, n.start, s.step) > 0 {
			continue
		}
		if is {
			return only, false
		}
		only, is = [2]string{p.Kind, p.Name}, true
	}
	return only, is
}
