package incident

// soonChange is how many steps before a peer went wrong its caller may have changed
// to be the likelier cause.
const soonChange = 15

// blameCallers explains what only callers measure, a database for one, by the one
// caller that changed just before: a new version asks for something else. Where a
// second caller is abnormal too, or deviates, the peer itself is the likelier cause.
func (s *snapshot) blameCallers() {
	for k, n := range s.nodes {
		if !s.fleet.services[n.service].Peer || n.because >= 0 {
			continue
		}
		if caller := s.changedCaller(n); caller >= 0 {
			n.because = caller
			if s.nodes[caller].because == k {
				s.nodes[caller].because = -1
			}
		}
	}
}

// changedCaller is the node of the only caller of a peer that is abnormal, where it
// changed just before both went wrong; -1 for none.
func (s *snapshot) changedCaller(n *node) int {
	found := -1
	for _, caller := range s.fleet.callers[n.service] {
		at, abnormal := s.of[caller]
		switch {
		case abnormal && found >= 0, !abnormal && s.deviates(caller):
			return -1
		case abnormal:
			found = at
		}
	}
	if found < 0 {
		return -1
	}
	change, changed := s.changeOf(s.nodes[found])
	first := min(n.start, s.nodes[found].start)
	if !changed || change.Step < first-soonChange || change.Step > first+afterChange || n.start < s.nodes[found].start-tolerance {
		return -1
	}
	return found
}
