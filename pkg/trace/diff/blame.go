package diff

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// blame turns findings into suspects. A finding on a path's own time (self
// time, gap, calls made) is a cause; one on the whole duration is only passed
// on from below, and where no cause below was found it is traced down by what
// contributes most. Failures are caused where they begin. Where something got
// worse, only what got worse is suspected.
func (c *comparison) blame() {
	placed := map[trace.PathID]bool{} // paths with a cause on them or below
	for i := range c.tests {
		t := &c.tests[i]
		if suspect, isCause := c.suspect(t); isCause {
			c.suspects = append(c.suspects, suspect)
			for id := t.path; id != trace.None; id = c.paths.Path(id).Parent {
				placed[id] = true
			}
		}
	}
	c.blameCallers()
	for i := range c.tests {
		t := &c.tests[i]
		if (t.aspect == Latency || t.aspect == Tail) && !placed[t.path] && c.deepest(t) {
			c.suspects = append(c.suspects, c.traceDown(t))
		}
	}
	if slices.ContainsFunc(c.suspects, func(s Suspect) bool { return s.Finding.Worse }) {
		c.suspects = slices.DeleteFunc(c.suspects, func(s Suspect) bool { return !s.Finding.Worse && s.Kind != Gone && s.Kind != Calls })
	}
	slices.SortStableFunc(c.suspects, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Share, a.Share), cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Kind, b.Kind))
	})
	c.suspects = slices.CompactFunc(c.suspects, func(a, b Suspect) bool { return a.Path == b.Path && a.Kind == b.Kind })
}

// traceDown follows a change of a path's duration to the path below whose own
// time makes up most of it: from caller to call while one call with all below
// it explains at least 60 %.
func (c *comparison) traceDown(t *hypothesis) Suspect {
	change := func(id trace.PathID) float64 { return c.effects[id].selfTime + c.effects[id].gap }
	subtree := map[trace.PathID]float64{}
	calls := map[trace.PathID][]trace.PathID{}
	for id := trace.PathID(c.paths.Len() - 1); id >= t.path; id-- { // calls come after their callers
		subtree[id] += change(id)
		if id > t.path {
			parent := c.paths.Path(id).Parent
			subtree[parent] += subtree[id]
			calls[parent] = append(calls[parent], id)
		}
	}
	at := t.path
	for subtree[at] > 0 == t.worse {
		next := slices.IndexFunc(calls[at], func(id trace.PathID) bool { return subtree[id]/subtree[at] >= 0.6 })
		if next < 0 {
			break
		}
		at = calls[at][next]
	}
	kind, share := Latency, c.endpoints[c.endpointOf[at]].share(change(at), t.worse)
	switch own := change(at); {
	case c.effects[at].gap > 0.5*own:
		kind = Gap
	case at != t.path:
		kind = SelfTime
	}
	return c.newSuspect(t, at, kind, share)
}

// suspect makes a suspect of a finding that names a cause.
func (c *comparison) suspect(t *hypothesis) (suspect Suspect, isCause bool) {
	e, effect, path := &c.endpoints[c.endpointOf[t.path]], &c.effects[t.path], c.paths.Path(t.path)
	switch t.aspect {
	case SelfTime:
		return c.newSuspect(t, t.path, SelfTime, e.share(effect.selfTime, t.worse)), true
	case OwnTail:
		typical := slices.ContainsFunc(c.tests, func(other hypothesis) bool {
			return other.path == t.path && (other.aspect == SelfTime || other.aspect == Gap)
		})
		return c.newSuspect(t, t.path, OwnTail, e.share(effect.selfTime+effect.gap, t.worse)), !typical
	case Gap:
		return c.newSuspect(t, t.path, Gap, e.share(effect.gap, t.worse)), true
	case Calls, New, Gone:
		// A call that is gone makes a request shorter, yet may be why another is
		// longer: its share is of whichever direction is the larger.
		share := math.Abs(effect.calls) / math.Max(1, math.Max(e.slower, e.faster))
		suspect := c.newSuspect(t, t.path, t.aspect, share)
		suspect.Service = c.paths.Path(path.Parent).Service // which calls are made is up to the caller
		return suspect, true
	case ErrorRate:
		share := c.originShare(t)
		return c.newSuspect(t, t.path, ErrorRate, share), share >= 0.2
	}
	return Suspect{}, false
}

func (c *comparison) newSuspect(t *hypothesis, id trace.PathID, kind Aspect, share float64) Suspect {
	path := &c.results[id]
	evidence := 1.0
	if t.pValue > 0 {
		evidence = math.Min(1, -math.Log10(t.pValue)/3)
	}
	return Suspect{
		Path: path.Key, Endpoint: path.Endpoint, Service: path.Service, Operation: path.Operation, Kind: kind,
		Share: share, Score: share * evidence,
		Finding: Finding{
			Aspect: t.aspect, Effect: t.effect.Estimate, Lower: t.effect.Lower, Upper: t.effect.Upper,
			PValue: t.pValue, Worse: t.worse,
		},
	}
}

// blameCallers finds services whose way to several others became longer at
// once, and by comparable factors: what these ways have in common is the
// caller (its processor, its connection pool). It takes the place of the
// callees as suspect.
func (c *comparison) blameCallers() {
	longer := map[string]map[string]float64{} // caller → callee → logarithm of the ratio
	for i := range c.tests {
		t := &c.tests[i]
		if parent := c.paths.Path(t.path).Parent; t.aspect == Gap && t.worse && parent != trace.None {
			caller, callee := c.paths.Path(parent).Service, c.paths.Path(t.path).Service
			if longer[caller] == nil {
				longer[caller] = map[string]float64{}
			}
			longer[caller][callee] = max(longer[caller][callee], math.Log(t.effect.Estimate))
		}
	}
	c.ways = map[string]trace.PathID{}
	strongest := map[trace.PathID]*hypothesis{}
	gap := map[trace.PathID]float64{}
	for i := range c.tests {
		t := &c.tests[i]
		at := c.paths.Path(t.path).Parent
		if t.aspect != Gap || !t.worse || at == trace.None || !alike(longer[c.paths.Path(at).Service]) {
			continue
		}
		if held := strongest[at]; held == nil || t.pValue < held.pValue {
			strongest[at] = t
		}
		gap[at] += max(0, c.effects[t.path].gap)
		c.suspects = slices.DeleteFunc(c.suspects, func(s Suspect) bool {
			return s.Kind == Gap && s.Path == c.results[t.path].Key
		})
	}
	for _, at := range slices.Sorted(maps.Keys(strongest)) {
		share := c.endpoints[c.endpointOf[at]].share(gap[at], true)
		suspect := c.newSuspect(strongest[at], at, Gap, share)
		c.ways[suspect.Path] = strongest[at].path
		c.suspects = append(c.suspects, suspect)
	}
}

// alike says that the two largest of the logarithms differ by no more
// than a factor of two.
func alike(logarithms map[string]float64) bool {
	values := slices.Sorted(maps.Values(logarithms))
	count := len(values)
	return count >= 2 && values[count-2] >= values[count-1]/2
}

// deepest says that no path below has a finding on its duration as well.
func (c *comparison) deepest(t *hypothesis) bool {
	for i := range c.tests {
		other := &c.tests[i]
		if other.worse != t.worse || other.aspect != Latency && other.aspect != Tail {
			continue
		}
		for id := other.path; id != trace.None; id = c.paths.Path(id).Parent {
			if id == t.path && other.path != t.path {
				return false
			}
		}
	}
	return true
}

// originShare is how much of the change in the endpoint's failed requests is
// failures that begin on the path.
func (c *comparison) originShare(t *hypothesis) float64 {
	whole, own := 0.0, 0.0
	for id := range c.results {
		if c.endpointOf[id] != c.endpointOf[t.path] {
			continue
		}
		change := c.originChange[id]
		if !t.worse {
			change = -change
		}
		whole += max(0, change)
		if id == int(t.path) {
			own = max(0, change)
		}
	}
	if whole == 0 {
		return 0
	}
	return own / whole
}
