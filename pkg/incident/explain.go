package incident

import (
	"cmp"
	"slices"
)

// node is an abnormal service at a step.
type node struct {
	service  int
	start    int
	episodes []*episode
	// because is the node that explains it, or -1.
	because int
	root    int
	// faint says that it would not be abnormal alone.
	faint bool
	// idle nodes are not looked at any more.
	idle bool
}

func (n *node) has(signal Signal) *episode {
	for _, e := range n.episodes {
		if e.signal == signal {
			return e
		}
	}
	return nil
}

// onlySilent tells whether nothing but silence is wrong with it.
func (n *node) onlySilent() bool {
	return n.has(Failures) == nil && n.has(Latency) == nil && n.has(Lost) == nil
}

// snapshot is what was abnormal at a step, and what explains what.
type snapshot struct {
	fleet *fleet
	step  int
	nodes []*node
	of    map[int]int // the node of a service
}

const (
	// tolerance is by how many steps a cause may seem to begin after its effect.
	tolerance = 3
	// minExplained is the part of an anomaly that abnormal callees must account for
	// to explain it, and minPart that of one of them to be looked at.
	minExplained, minPart = 0.3, 0.1
	// crossed are weights of an explanation by another signal, whose sizes cannot be
	// compared: what is called is slow, and the caller fails, as by a timeout; it
	// fails, and the caller is slow, as by retries; it is silent.
	crossedSlow, crossedFailed, crossedSilent = 0.5, 0.4, 0.8
)

func (m *fleet) look(step int) *snapshot {
	s := &snapshot{fleet: m, step: step, of: map[int]int{}}
	for i := range m.services {
		if now := m.during(i, step); len(now) > 0 {
			s.add(&node{service: i, start: now[0].start, episodes: now, because: -1})
		}
	}
	if len(s.nodes) == 0 {
		return s
	}
	for k := 0; k < len(s.nodes); k++ { // grows while it runs
		s.addFaint(s.nodes[k])
	}
	for k := range s.nodes {
		s.nodes[k].because = s.explain(k)
	}
	s.blameCallers()
	for k := range s.nodes {
		s.nodes[k].root = s.rootOf(k)
	}
	s.dropIdle()
	return s
}

// dropIdle takes out faint nodes that explain nothing.
func (s *snapshot) dropIdle() {
	needed := make([]bool, len(s.nodes))
	for k, n := range s.nodes {
		for at := k; !n.faint && at >= 0 && !needed[at]; at = s.nodes[at].because {
			needed[at] = true
		}
	}
	for k, n := range s.nodes {
		if n.idle = !needed[k]; n.idle {
			delete(s.of, n.service)
		}
	}
}

func (s *snapshot) add(n *node) {
	s.of[n.service] = len(s.nodes)
	s.nodes = append(s.nodes, n)
}

// faint is a mean deviation that is no anomaly alone, but one below a caller that
// is abnormal.
const faint = 2

// addFaint adds callees that deviate along with a node, but by too little, or with
// too few requests, to be abnormal alone.
func (s *snapshot) addFaint(n *node) {
	for _, callee := range s.fleet.callees[n.service] {
		if _, known := s.of[callee]; known {
			continue
		}
		for _, signal := range []Signal{Failures, Latency} {
			own := n.has(signal)
			deviations := s.fleet.deviations[signal][callee]
			if own == nil || deviations == nil || typical(deviations, n.start, s.step) < faint {
				continue
			}
			service := s.fleet.services[callee]
			values, level := service.Latency, mean(service.Latency, n.start-60, n.start-lag)
			if signal == Failures {
				values, level = service.Failed, mean(service.Failed, n.start-60, n.start-lag)
			}
			e := &episode{service: callee, signal: signal, start: n.start, known: s.step, end: s.fleet.steps + 1, over: s.fleet.steps + 1, level: level}
			if !(mean(values, n.start, s.step) > level) || s.portion(n.service, callee)*s.fleet.excess(e, s.step) < minExplained*s.fleet.excess(own, s.step) {
				continue
			}
			s.add(&node{service: callee, start: n.start, episodes: []*episode{e}, because: -1, faint: true})
			break
		}
	}
}

// typical is the mean of deviations, which may be negative.
func typical(deviations []float64, from, to int) (sum float64) {
	for i := from; i <= to; i++ {
		sum += min(deviations[i], 3*faint)
	}
	return sum / float64(to-from+1)
}

// portion is the part of a callee's requests that come from a caller.
func (s *snapshot) portion(caller, callee int) float64 {
	calls, known := s.fleet.calls[[2]int{caller, callee}]
	if !known {
		return 1
	}
	all := mean(s.fleet.services[callee].Requests, s.step-30, s.step)
	if !(all > 0) {
		return 1
	}
	return min(1, mean(calls, s.step-30, s.step)/all)
}

// explain is the node that explains another, or -1.
func (s *snapshot) explain(k int) int {
	n := s.nodes[k]
	if n.onlySilent() {
		return s.explainSilence(n)
	}
	best, strongest, sum := -1, 0.0, 0.0
	for _, callee := range s.fleet.callees[n.service] {
		at, abnormal := s.of[callee]
		if !abnormal || s.nodes[at].start > n.start+tolerance || s.starved(s.nodes[at]) {
			continue
		}
		weight := s.weight(n, s.nodes[at])
		if weight < minPart {
			continue
		}
		sum += weight
		if weight > strongest {
			best, strongest = at, weight
		}
	}
	if sum < minExplained {
		return s.explainByRetries(n)
	}
	return best
}

// retried is a ratio of requests that comes from callers that repeat theirs.
const retried = 1.12

// explainByRetries is the caller that went wrong before a node and has sent it more
// requests since, or -1.
func (s *snapshot) explainByRetries(n *node) int {
	if growth(s.fleet.services[n.service].Requests, n.start, s.step) < retried {
		return -1
	}
	best, most := -1, 0.0
	for _, caller := range s.fleet.callers[n.service] {
		at, abnormal := s.of[caller]
		if !abnormal || s.nodes[at].start > n.start {
			continue
		}
		calls, known := s.fleet.calls[[2]int{caller, n.service}]
		ratio := retried
		if known {
			ratio = growth(calls, n.start, s.step)
		}
		// More requests of its own are a load, and no retries.
		if own := growth(s.fleet.services[caller].Requests, n.start, s.step); ratio >= retried*max(1, own/retried) && ratio > most {
			best, most = at, ratio
		}
	}
	return best
}

// weight is the part of a node's anomaly that a callee accounts for.
func (s *snapshot) weight(n, callee *node) float64 {
	strongest := 0.0
	for _, signal := range []Signal{Failures, Latency} {
		own := n.has(signal)
		if own == nil {
			continue
		}
		if theirs := callee.has(signal); theirs != nil {
			if lost := s.fleet.excess(own, s.step); lost > 0 {
				strongest = max(strongest, min(1, s.portion(n.service, callee.service)*s.fleet.excess(theirs, s.step)/lost))
			}
		}
	}
	if strongest >= minExplained {
		return strongest
	}
	switch {
	case callee.has(Silence) != nil || callee.has(Lost) != nil:
		return crossedSilent
	case n.has(Failures) != nil && callee.has(Latency) != nil && callee.has(Failures) == nil:
		return crossedSlow
	case n.has(Failures) == nil && callee.has(Failures) != nil:
		return crossedFailed
	}
	return strongest
}

// starved tells whether a silent service is silent because a caller sends it
// nothing any more.
func (s *snapshot) starved(n *node) bool { return n.onlySilent() && s.explainSilence(n) >= 0 }

// explainSilence is the caller that sends a silent service nothing any more, or -1.
func (s *snapshot) explainSilence(n *node) int {
	best, most := -1, 0.0
	for _, caller := range s.fleet.callers[n.service] {
		at, abnormal := s.of[caller]
		if !abnormal || s.nodes[at].start > n.start+tolerance {
			continue
		}
		silent := s.nodes[at].has(Silence) != nil || s.nodes[at].has(Lost) != nil
		if !silent {
			// One that fails before it calls anything silences most of its callees.
			quiet := 0
			for _, callee := range s.fleet.callees[caller] {
				if other, is := s.of[callee]; is && s.nodes[other].has(Silence) != nil {
					quiet++
				}
			}
			silent = quiet >= 2 && 2*quiet > len(s.fleet.callees[caller])
		}
		if !silent || s.stillCalled(caller, n) {
			continue
		}
		if part := s.usualPortion(caller, n); part > most {
			best, most = at, part
		}
	}
	return best
}

// stillCalled tells whether a caller counts calls that a silent service does not.
func (s *snapshot) stillCalled(caller int, n *node) bool {
	calls, known := s.fleet.calls[[2]int{caller, n.service}]
	return known && growth(calls, n.start, s.step) > 0.5 && mean(calls, n.start, s.step) > 0
}

func (s *snapshot) usualPortion(caller int, n *node) float64 {
	calls, known := s.fleet.calls[[2]int{caller, n.service}]
	if !known {
		return 1
	}
	return mean(calls, n.start-60, n.start-lag)
}

// rootOf follows the explanations to where the anomaly began. Around a cycle of
// calls it is the service that was abnormal first.
func (s *snapshot) rootOf(k int) int {
	seen := []int{}
	for !slices.Contains(seen, k) {
		seen = append(seen, k)
		if s.nodes[k].because < 0 {
			return k
		}
		k = s.nodes[k].because
	}
	cycle := seen[slices.Index(seen, k):]
	return slices.MinFunc(cycle, func(a, b int) int {
		x, y := s.nodes[a], s.nodes[b]
		return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(s.size(y), s.size(x)), cmp.Compare(x.service, y.service))
	})
}

// size is the largest deviation of a node at the step.
func (s *snapshot) size(n *node) (largest float64) {
	for _, e := range n.episodes {
		largest = max(largest, at(s.fleet.deviations[e.signal][n.service], s.step))
	}
	return largest
}
