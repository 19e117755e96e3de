package diff

import (
	"cmp"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// signs are what an endpoint's findings say.
type signs struct {
	worse   bool
	better  bool
	shorter bool // better in durations as a whole only
	fewer   bool // calls that are no longer made
	other   bool // calls are made that were not, or less often, or more often
}

// signs reads the findings of every endpoint.
func (c *comparison) signs() []signs {
	read := make([]signs, len(c.endpoints))
	for i := range c.tests {
		t := &c.tests[i]
		if c.isMinor(t) {
			continue
		}
		s, e := &read[c.endpointOf[t.path]], &c.endpoints[c.endpointOf[t.path]]
		switch t.aspect {
		case New, Gone, Calls:
			// More calls are a change; a regression only where they cost time.
			s.worse = s.worse || t.worse && c.effects[t.path].calls >= e.minChange
			s.fewer = s.fewer || !t.worse
			s.other = true
		case Latency, Tail:
			s.worse = s.worse || t.worse
			s.shorter = s.shorter || !t.worse
		default:
			s.worse = s.worse || t.worse
			s.better = s.better || !t.worse
		}
	}
	return read
}

// minShare is the least share of its endpoint's change that a finding about time
// must explain to raise an alarm.
const minShare = 0.03

// isMinor says that a finding about the time of a path explains next to nothing
// of what changed for its endpoint: it is shown, but no verdict rests on it.
func (c *comparison) isMinor(t *hypothesis) bool {
	e := &c.endpoints[c.endpointOf[t.path]]
	switch t.aspect {
	case SelfTime, Gap, OwnTail, Latency, Tail:
		return t.path != e.root && e.share(c.subtreeEffect(t.path), t.worse) < minShare
	}
	return false
}

// subtreeEffect is what a path with all below it contributes to the change of
// its endpoint's mean.
func (c *comparison) subtreeEffect(path trace.PathID) (sum float64) {
	for id := path; id < trace.PathID(len(c.effects)); id++ { // calls come after their callers
		for at := id; at >= path; at = c.paths.Path(at).Parent {
			if at == path {
				sum += c.effects[id].own()
				break
			}
		}
	}
	return sum
}

// isWeak says that a suspect explains next to nothing, on evidence that is not
// beyond doubt: it stands among the hints, in the order of the evidence.
func (s *Suspect) isWeak() bool { return s.Share < minShare && s.Score < s.Share }

// verdict of an endpoint with enough requests. A request that is shorter
// because calls are missing is changed, not improved: who knows whether they
// were needed.
func (s *signs) verdict() Verdict {
	switch {
	case s.worse:
		return Regressed
	case s.better, s.shorter && !s.fewer:
		return Improved
	case s.other:
		return Changed
	}
	return NoChange
}

// judge gives every endpoint its verdict, and the whole comparison the worst
// of them.
func (c *comparison) judge() Verdict {
	read := c.signs()
	seen := map[Verdict]bool{}
	shared := false
	for i := range c.endpoints {
		e := &c.endpoints[i]
		shared = shared || e.Baseline > 0 && e.Candidate > 0
		switch {
		case e.Baseline == 0 || e.Candidate == 0:
			e.Verdict = NotComparable
		case !e.judged && read[i] == signs{}:
			e.Verdict = Insufficient
		default:
			if e.Verdict = read[i].verdict(); e.Verdict == NoChange && (!e.equivalence.shown || e.doubt != nil) {
				e.Verdict = Insufficient
			}
		}
		seen[e.Verdict] = true
	}
	for _, verdict := range []Verdict{Regressed, Improved, Changed} {
		if seen[verdict] {
			return verdict
		}
	}
	if c.mostlyShown() && c.doubted() == nil {
		return NoChange
	}
	if seen[Insufficient] || seen[NoChange] {
		return Insufficient
	}
	if len(c.baseline.requests) < c.options.MinTraces || len(c.candidate.requests) < c.options.MinTraces || shared {
		return Insufficient
	}
	return NotComparable
}

// needed is how many more traces the smaller side needs: of the endpoint that
// keeps the comparison from an answer, else of the one nearest to a judgement.
func (c *comparison) needed() int {
	if undecided := c.undecided(); undecided != nil {
		// Where it is shown but in doubt, as much again.
		return max(undecided.equivalence.needed, one(undecided.equivalence.shown)*min(undecided.Baseline, undecided.Candidate))
	}
	most := 0
	for i := range c.endpoints {
		most = max(most, min(c.endpoints[i].Baseline, c.endpoints[i].Candidate))
	}
	return max(0, c.options.MinTraces-most)
}

// result puts the answer together.
func (c *comparison) result() Result {
	r := Result{Verdict: c.judge(), Baseline: c.baseline.summary, Candidate: c.candidate.summary, Suspects: c.suspects}
	if r.Verdict == Insufficient {
		r.NeededTraces = c.needed()
	}
	if r.Verdict == NotComparable || r.Verdict == Insufficient {
		r.Suspects = nil
	}
	switch r.Verdict {
	case Changed, NoChange, Insufficient:
		r.Hints = c.hints()
	case Regressed:
		r.Hints = slices.DeleteFunc(c.hints(), func(h Hint) bool { return !c.standsBeside(h) })
	}
	r.Reason = c.reason(&r)
	if r.Verdict == Changed && !slices.ContainsFunc(r.Suspects, func(s Suspect) bool { return !s.isWeak() }) {
		r.Suspects = nil
	}
	r.Notices = c.notices()
	r.Paths = c.ranked()
	for i := range c.endpoints {
		r.Endpoints = append(r.Endpoints, c.endpoints[i].Endpoint)
	}
	slices.SortFunc(r.Endpoints, func(a, b Endpoint) int {
		return cmp.Or(
			cmp.Compare(severity(a.Verdict), severity(b.Verdict)),
			cmp.Compare(b.Candidate+b.Baseline, a.Candidate+a.Baseline),
			cmp.Compare(a.Key, b.Key),
		)
	})
	return r
}

// maxHintBeside is the largest p-value of a hint that stands beside proven suspects.
const maxHintBeside = 0.01

// standsBeside says whether a hint is kept beside proven suspects: who answered last
// before its caller broke off is no suspect by itself, and may be the cause of all
// that is proven.
func (c *comparison) standsBeside(h Hint) bool {
	return h.Kind == Last && h.PValue <= maxHintBeside && !slices.ContainsFunc(c.suspects, func(s Suspect) bool { return s.Service == h.Service })
}

func severity(v Verdict) int {
	return slices.Index([]Verdict{Regressed, Improved, Changed, NoChange, Insufficient, NotComparable}, v)
}

// ranked are all paths: suspects first, then those with findings, then the
// rest, by what they contribute.
func (c *comparison) ranked() []Path {
	rank := map[string]int{}
	for i, suspect := range c.suspects {
		if _, exists := rank[suspect.Path]; !exists {
			rank[suspect.Path] = i
		}
	}
	paths := slices.Clone(c.results)
	for i := range paths {
		place, suspected := rank[paths[i].Key]
		paths[i].Responsible = suspected && c.suspects[place].Score >= responsibleShare*c.suspects[0].Score
	}
	slices.SortFunc(paths, func(a, b Path) int {
		return cmp.Or(
			cmp.Compare(placeOf(rank, &a), placeOf(rank, &b)),
			cmp.Compare(min(len(b.Findings), 1), min(len(a.Findings), 1)),
			cmp.Compare(b.Share, a.Share),
			cmp.Compare(a.Key, b.Key),
		)
	})
	return paths
}

// responsibleShare is the least score, against that of the first suspect, with which
// a path still counts as responsible.
const responsibleShare = 0.5

func placeOf(rank map[string]int, path *Path) int {
	if place, suspected := rank[path.Key]; suspected {
		return place
	}
	return math.MaxInt
}
