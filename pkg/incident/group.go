package incident

import (
	"cmp"
	"slices"
)

// group is nodes with one cause.
type group struct {
	roots []int // nodes at which it began
	nodes []int
	start int
	// dependency is a service without metrics of its own that all roots call; -1
	// for none.
	dependency int
	kind       Kind // where the grouping already tells
}

const (
	// together is by how many steps anomalies of one cause may begin apart.
	together = 2
	// minShared is how many services go wrong together without a common cause on
	// the map, until that is no accident.
	minShared = 4
	// surge is a ratio of requests that is a load.
	surge = 1.5
	// loadTolerance is by how many steps services that one load overwhelms may go
	// wrong apart.
	loadTolerance = 15
)

// groups are the nodes by their causes, by start.
func (s *snapshot) groups() []*group {
	byRoot := map[int]*group{}
	var all []*group
	for k, n := range s.nodes {
		if n.idle {
			continue
		}
		g := byRoot[n.root]
		if g == nil {
			g = &group{roots: []int{n.root}, start: s.nodes[n.root].start, dependency: -1}
			byRoot[n.root] = g
			all = append(all, g)
		}
		g.nodes = append(g.nodes, k)
	}
	all = s.mergeByLoad(all)
	all = s.mergeByDependency(all)
	all = s.mergeShared(all)
	all = s.joinMinor(all)
	for _, g := range all {
		slices.SortFunc(g.nodes, func(a, b int) int {
			x, y := s.nodes[a], s.nodes[b]
			return cmp.Or(cmp.Compare(x.start, y.start), s.fleet.byName(x.service, y.service))
		})
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.start, b.start), s.fleet.byName(s.nodes[a.roots[0]].service, s.nodes[b.roots[0]].service))
	})
	return all
}

func (m *fleet) byName(a, b int) int { return cmp.Compare(m.services[a].Name, m.services[b].Name) }

func merge(all []*group, which func(*group) bool) (merged *group, rest []*group) {
	for _, g := range all {
		if !which(g) {
			rest = append(rest, g)
			continue
		}
		if merged == nil {
			merged = &group{start: g.start, dependency: -1}
		}
		merged.roots, merged.nodes = append(merged.roots, g.roots...), append(merged.nodes, g.nodes...)
		merged.start = min(merged.start, g.start)
	}
	return merged, rest
}

// mergeByDependency joins groups that began together below a dependency whose own
// state nobody measures, most of whose callers are abnormal.
func (s *snapshot) mergeByDependency(all []*group) []*group {
	for len(all) > 1 {
		best, most := -1, 1
		for candidate := range s.fleet.services {
			if s.measured(candidate) {
				continue
			}
			if covered := s.covered(all, candidate); covered > most {
				best, most = candidate, covered
			}
		}
		if best < 0 {
			break
		}
		anchor := s.anchor(all, best)
		merged, rest := merge(all, func(g *group) bool { return s.below(g, best, anchor) })
		merged.dependency, merged.kind = best, CauseDependency
		all = slices.Concat(rest, []*group{merged})
	}
	return all
}

// covered is how many groups an unmeasured dependency explains; 0 where too many of
// its callers are well, or as many others went wrong with them.
func (s *snapshot) covered(all []*group, dependency int) (n int) {
	callers := s.fleet.callers[dependency]
	if len(callers) < 2 {
		return 0
	}
	abnormal := 0
	for _, c := range callers {
		if _, is := s.of[c]; is || s.deviates(c) {
			abnormal++
		}
	}
	if 5*abnormal < 3*len(callers) {
		return 0
	}
	anchor := s.anchor(all, dependency)
	others := 0
	for _, g := range all {
		switch {
		case s.below(g, dependency, anchor):
			n++
		case g.kind == "" && g.start >= anchor-together && g.start <= anchor+together:
			others++
		}
	}
	if others > n {
		return 0
	}
	return n
}

// deviates tells whether a service deviates a little, which is no anomaly alone.
func (s *snapshot) deviates(service int) bool {
	for _, signal := range []Signal{Failures, Latency} {
		if d := s.fleet.deviations[signal][service]; d != nil && typical(d, max(0, s.step-together), s.step) >= faint {
			return true
		}
	}
	return false
}

// anchor is the first start of a group that calls the dependency.
func (s *snapshot) anchor(all []*group, dependency int) int {
	first := s.fleet.steps
	for _, g := range all {
		if g.dependency < 0 && slices.Contains(s.fleet.callees[s.nodes[g.roots[0]].service], dependency) {
			first = min(first, g.start)
		}
	}
	return first
}

func (s *snapshot) below(g *group, dependency, anchor int) bool {
	return g.dependency < 0 && g.start <= anchor+tolerance+together && !s.nodes[g.roots[0]].onlySilent() &&
		slices.Contains(s.fleet.callees[s.nodes[g.roots[0]].service], dependency)
}

// measured tells whether a service has metrics of its own.
func (s *snapshot) measured(service int) bool {
	return s.fleet.deviations[Latency][service] != nil || s.fleet.deviations[Failures][service] != nil
}

// mergeByLoad joins groups whose roots are overwhelmed by the same load.
func (s *snapshot) mergeByLoad(all []*group) []*group {
	byEntry := map[int][]*group{}
	for _, g := range all {
		if len(g.roots) != 1 {
			continue
		}
		if entry, is := s.loadOf(s.nodes[g.roots[0]]); is {
			byEntry[entry] = append(byEntry[entry], g)
		}
	}
	for entry := range s.fleet.services {
		groups := byEntry[entry]
		if len(groups) < 2 {
			continue
		}
		first := slices.MinFunc(groups, func(a, b *group) int { return cmp.Compare(a.start, b.start) }).start
		merged, rest := merge(all, func(g *group) bool { return slices.Contains(groups, g) && g.start <= first+loadTolerance })
		merged.kind = CauseLoad
		all = slices.Concat(rest, []*group{merged})
	}
	return all
}

// loadOf is the service, called from outside the fleet, from which a load came that
// overwhelms a node. Retries of what fails do not reach that far up.
func (s *snapshot) loadOf(n *node) (entry int, is bool) {
	at := n.service
	own := growth(s.fleet.services[at].Requests, n.start, s.step)
	if n.onlySilent() || own < surge {
		return 0, false
	}
	for seen := []int{at}; ; seen = append(seen, at) {
		best, most := -1, 0.0
		for _, caller := range s.fleet.callers[at] {
			ratio := growth(s.fleet.services[caller].Requests, n.start, s.step)
			more := ratio * mean(s.fleet.calls[[2]int{caller, at}], s.step-recent, s.step)
			if ratio >= surge && !slices.Contains(seen, caller) && (best < 0 || more > most) {
				best, most = caller, more
			}
		}
		if best < 0 {
			return at, len(s.fleet.callers[at]) == 0
		}
		at = best
	}
}

// mergeShared joins what went wrong at the same time in many services, without a
// common cause on the map. Of services that only fell silent, two suffice.
func (s *snapshot) mergeShared(all []*group) []*group {
	for _, silent := range []bool{true, false} {
		least := minShared
		if silent {
			least = 2
		}
		fits := func(g *group) bool {
			return g.kind == "" && (!silent || s.nodes[g.roots[0]].onlySilent())
		}
		for {
			var starts []int
			for _, g := range all {
				if fits(g) {
					starts = append(starts, g.start)
				}
			}
			slices.Sort(starts)
			from, most := 0, 0
			for i, start := range starts {
				n := 0
				for _, other := range starts[i:] {
					if other <= start+together {
						n++
					}
				}
				if n > most {
					from, most = start, n
				}
			}
			if most < least {
				break
			}
			merged, rest := merge(all, func(g *group) bool { return fits(g) && g.start >= from && g.start <= from+together })
			merged.kind = CauseShared
			if silent {
				merged.kind = CauseTelemetry
			}
			all = slices.Concat(rest, []*group{merged})
		}
	}
	return all
}

// joinMinor joins what went wrong right above a larger incident, by more than that
// accounts for, but harms nothing else: nobody needs to be woken for it alone.
func (s *snapshot) joinMinor(all []*group) (kept []*group) {
	for _, g := range all {
		into := s.largerBelow(all, g)
		if into == nil {
			kept = append(kept, g)
			continue
		}
		into.nodes = append(into.nodes, g.nodes...)
	}
	return kept
}

func (s *snapshot) largerBelow(all []*group, g *group) *group {
	if len(g.roots) != 1 || len(g.nodes) > maxMinor {
		return nil
	}
	root := s.nodes[g.roots[0]]
	for _, other := range all {
		if other == g || len(other.nodes) <= 2*maxMinor || s.size(s.nodes[other.roots[0]]) < s.size(root) {
			continue
		}
		for _, k := range other.nodes {
			n := s.nodes[k]
			if n.start <= root.start+tolerance && slices.Contains(s.fleet.callees[root.service], n.service) {
				return other
			}
		}
	}
	return nil
}

// maxMinor is how many services a minor part of an incident has.
const maxMinor = 2
