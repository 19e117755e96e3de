package diff

import (
	"cmp"
	"math"
	"slices"
)

// judge gives every endpoint its verdict, and the whole comparison the worst
// of them.
func (c *comparison) judge() Verdict {
	worse, better, other := make([]bool, len(c.endpoints)), make([]bool, len(c.endpoints)), make([]bool, len(c.endpoints))
	for i := range c.tests {
		t := &c.tests[i]
		e := c.endpointOf[t.path]
		switch t.aspect {
		case New, Gone, Calls:
			// More or fewer calls are a change; a regression only where they cost
			// time.
			effect := c.effects[t.path].calls
			worse[e] = worse[e] || effect >= c.endpoints[e].minChange && t.worse
			other[e] = true
		default:
			worse[e] = worse[e] || t.worse
			better[e] = better[e] || !t.worse
		}
	}
	seen := map[Verdict]bool{}
	shared := false
	for i := range c.endpoints {
		e := &c.endpoints[i]
		shared = shared || e.Baseline > 0 && e.Candidate > 0
		switch {
		case e.Baseline == 0 || e.Candidate == 0:
			e.Verdict = NotComparable
		case !e.judged:
			e.Verdict = Insufficient
		case worse[i]:
			e.Verdict = Regressed
		case better[i]:
			e.Verdict = Improved
		case other[i]:
			e.Verdict = Changed
		default:
			e.Verdict = NoChange
		}
		seen[e.Verdict] = true
	}
	for _, verdict := range []Verdict{Regressed, Improved, Changed, NoChange, Insufficient} {
		if seen[verdict] {
			return verdict
		}
	}
	if len(c.baseline.requests) < c.options.MinTraces || len(c.candidate.requests) < c.options.MinTraces || shared {
		return Insufficient
	}
	return NotComparable
}

// needed is how many more traces the smaller side of the endpoint that is
// nearest to a judgement needs.
func (c *comparison) needed() int {
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
	r.Reason = c.reason(&r)
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
		paths[i].Responsible = suspected && c.suspects[place].Score >= leadShare*c.suspects[0].Score
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

// leadShare is the least score, against that of the first suspect, with which
// a path still counts as responsible.
const leadShare = 0.5

func placeOf(rank map[string]int, path *Path) int {
	if place, suspected := rank[path.Key]; suspected {
		return place
	}
	return math.MaxInt
}
