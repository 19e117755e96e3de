package cause

import (
	"cmp"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// How much more likely evidence from elsewhere makes a suspect. Factors, as of
// odds; none of them makes a suspect of what the traces do not show.
const (
	deployFactor  = 3
	patternFactor = 1.5
	signalFactor  = 1.5
	// lateFactor is for what began well after a deploy while something else came
	// with it.
	lateFactor = 0.1
)

// minConfidence keeps away what no one would look at beside the others.
const minConfidence = 0.005

// maxSuspects bounds the list: nobody looks at the eleventh.
const maxSuspects = 10

// Rank names the likely causes of a change, the likeliest first. There are
// none where the comparison found no change or could not judge.
func Rank(compared diff.Result, evidence Evidence) Result {
	r := Result{Verdict: compared.Verdict, Reason: compared.Reason, Hints: compared.Hints}
	ranking := newRanking(compared, evidence)
	for i := range compared.Suspects {
		if found := &compared.Suspects[i]; compared.Verdict != diff.Regressed || found.Finding.Worse || found.Kind == diff.New || found.Kind == diff.Gone {
			ranking.add(found)
		}
	}
	ranking.dropExplained()
	total := 0.0
	for _, s := range ranking.suspects {
		ranking.weigh(s)
		total += s.weight
	}
	slices.SortStableFunc(ranking.suspects, func(a, b *Suspect) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(b.Share, a.Share), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
	})
	for i, s := range ranking.suspects[:min(len(ranking.suspects), maxSuspects)] {
		if total > 0 {
			s.Confidence = s.weight / total
		}
		if i == 0 || s.Confidence >= minConfidence {
			r.Suspects = append(r.Suspects, *s)
		}
	}
	r.Victims = ranking.victims()
	return r
}

// ranking is the work of one Rank.
type ranking struct {
	compared diff.Result
	evidence Evidence
	paths    map[string]*diff.Path
	called   map[string]bool // paths that make calls
	byName   map[suspectKey]*Suspect
	suspects []*Suspect
}

type suspectKey struct {
	kind                             Kind
	service, operation, call, callee string
}

func newRanking(compared diff.Result, evidence Evidence) *ranking {
	r := &ranking{compared: compared, evidence: evidence, paths: map[string]*diff.Path{}, called: map[string]bool{}, byName: map[suspectKey]*Suspect{}}
	for i := range compared.Paths {
		path := &compared.Paths[i]
		r.paths[path.Key] = path
		r.called[path.Parent] = true
	}
	return r
}

// better says that a suspect is of an improvement. Where things got worse, a
// call that is no longer made may be why.
func (r *ranking) better(s *Suspect) bool {
	return r.compared.Verdict != diff.Regressed && !s.Finding.Worse
}

// add makes a suspect of the comparison's, or adds to one of the same name that
// harms another endpoint too.
func (r *ranking) add(found *diff.Suspect) {
	path := r.paths[found.Path]
	if path == nil {
		return
	}
	s := r.blame(found, path)
	key := suspectKey{s.Kind, s.Service, s.Operation, s.Call, s.Callee}
	switch s.Kind {
	case Statement, Database, Outside:
		key.operation = "" // whoever calls it, it is the same
	}
	held := r.byName[key]
	if held == nil {
		r.byName[key] = &s
		r.suspects = append(r.suspects, &s)
		return
	}
	held.Endpoints = append(held.Endpoints, s.Endpoints...)
	slices.Sort(held.Endpoints)
	held.Endpoints = slices.Compact(held.Endpoints)
	held.paths = append(held.paths, s.paths...)
	if s.weight > held.weight {
		s.Endpoints, s.paths = held.Endpoints, held.paths
		*held = s
	}
}

// blame says who is to blame for a finding on a path, and in which way.
func (r *ranking) blame(found *diff.Suspect, path *diff.Path) Suspect {
	s := Suspect{
		Service: path.Service, Operation: path.Operation, Example: path.Example, Path: path.Key,
		Endpoints: []string{r.endpointName(found.Endpoint)},
		Share:     found.Share, Finding: found.Finding, weight: found.Score, Explanations: found.Explanations, Course: found.Course,
		PerRequest:       path.CallsEffect + path.PerCallEffect,
		BaselineExamples: path.BaselineExamples, CandidateExamples: path.CandidateExamples,
	}
	s.paths = []string{path.Key}
	s.traced = found.Kind != diff.Latency && (found.Finding.Aspect == diff.Latency || found.Finding.Aspect == diff.Tail)
	byCaller := func(kind Kind) {
		s.Kind, s.Call, s.Callee = kind, path.Operation, path.Service
		if parent := r.paths[path.Parent]; parent != nil {
			s.Service, s.Operation = parent.Service, parent.Operation
		}
	}
	switch { // all that the service does suffers
	case r.isPattern(path, pattern.PoolWait):
		s.Kind, s.Operation = PoolWait, ""
		return s
	case isCalls(found.Kind) && r.isPattern(path, pattern.LostCache):
		byCaller(LostCache)
		s.Operation, s.Call, s.Callee = "", "", ""
		return s
	}
	switch found.Kind {
	case diff.Calls:
		byCaller(MoreCalls)
		if !found.Finding.Worse {
			s.Kind = FewerCalls
		}
	case diff.New:
		byCaller(NewCall)
	case diff.Gone:
		byCaller(LostCall)
	case diff.ErrorRate:
		s.Kind, s.PerRequest = Errors, 0
	case diff.Gap:
		if s.Kind = WayTo; found.Finding.Aspect == diff.Gap && !hasFinding(path, diff.Gap) {
			s.Kind, s.Operation = Starved, "" // all that the service does suffers
			s.PerRequest = r.waysEffect(path.Key)
		}
	case diff.Latency:
		s.Kind = Unplaced
	default:
		if s.Kind = OwnWork; r.waitsSilently(&s, path) {
			s.Kind, s.Operation = PoolWait, ""
		} else if r.isLeafCall(path) {
			path = r.carriedCall(path)
			byCaller(Outside)
			if isStatement(path.Operation) {
				s.Kind = Statement
				if r.wholeDatabase(path) {
					s.Kind = Database
				}
			}
		}
	}
	return s
}

// isPattern says that a pattern was found on a path.
func (r *ranking) isPattern(path *diff.Path, kind pattern.Kind) bool {
	return slices.ContainsFunc(r.evidence.Patterns, func(p pattern.Finding) bool {
		return p.Kind == kind && p.Path == path.Key
	})
}

func isCalls(aspect diff.Aspect) bool { return aspect == diff.New || aspect == diff.Calls }

// waysEffect is what the ways that became longer from a caller to its callees
// cost a request, in nanoseconds.
func (r *ranking) waysEffect(caller string) (effect float64) {
	for i := range r.compared.Paths { // in their order: a sum depends on it
		if path := &r.compared.Paths[i]; path.Parent == caller && hasFinding(path, diff.Gap) {
			effect += path.PerCallEffect
		}
	}
	return effect
}

// dropExplained clears callees of which the way from a starved caller is
// longer: that caller is the reason.
func (r *ranking) dropExplained() {
	starved := map[string]bool{}
	for _, s := range r.suspects {
		if s.Kind == Starved {
			starved[s.Service] = true
		}
	}
	r.suspects = slices.DeleteFunc(r.suspects, func(s *Suspect) bool {
		caller := r.paths[r.paths[s.Path].Parent]
		return s.Kind == WayTo && caller != nil && starved[caller.Service]
	})
}

func hasFinding(path *diff.Path, aspect diff.Aspect) bool {
	return slices.ContainsFunc(path.Findings, func(f diff.Finding) bool { return f.Aspect == aspect })
}

// isLeafCall says that a path is a call of something that sends no spans.
func (r *ranking) isLeafCall(path *diff.Path) bool {
	return path.Kind == trace.Client && !r.called[path.Key]
}

// carriedCall is the call that a client's path stands for: that of a client's
// path of the same service around it, which says what is called while this one
// only carries it (a database's library over HTTP); else itself.
func (r *ranking) carriedCall(path *diff.Path) *diff.Path {
	outer := r.paths[path.Parent]
	if outer != nil && outer.Kind == trace.Client && outer.Service == path.Service {
		return outer
	}
	return path
}

// wholeDatabase says that the other statements of a service became slower as
// well: then it is not the one statement, but what they share.
func (r *ranking) wholeDatabase(path *diff.Path) bool {
	slower := map[string]bool{}
	all := map[string]bool{}
	for i := range r.compared.Paths {
		other := &r.compared.Paths[i]
		if other.Service != path.Service || !r.isLeafCall(other) || !isStatement(other.Operation) ||
			other.Baseline.Calls == 0 || other.Candidate.Calls == 0 {
			continue
		}
		all[other.Operation] = true
		if slices.ContainsFunc(other.Findings, func(f diff.Finding) bool {
			return f.Worse && (f.Aspect == diff.SelfTime || f.Aspect == diff.Latency || f.Aspect == diff.OwnTail)
		}) {
			slower[other.Operation] = true
		}
	}
	return len(all) >= 3 && 3*len(slower) >= 2*len(all)
}

func (r *ranking) endpointName(key string) string {
	if path := r.paths[key]; path != nil {
		return path.Service + " " + path.Operation
	}
	return key
}

// victims are the operations with a finding on their whole duration whose own
// work is not suspected.
func (r *ranking) victims() (names []string) {
	suspected := map[string]bool{}
	for _, s := range r.suspects {
		for _, path := range s.paths {
			suspected[path] = true
		}
	}
	var paths []*diff.Path
	for i := range r.compared.Paths {
		path := &r.compared.Paths[i]
		slower := slices.ContainsFunc(path.Findings, func(f diff.Finding) bool {
			return f.Worse && (f.Aspect == diff.Latency || f.Aspect == diff.Tail || f.Aspect == diff.ErrorRate)
		})
		if len(r.suspects) > 0 && slower && !suspected[path.Key] {
			paths = append(paths, path)
		}
	}
	slices.SortFunc(paths, func(a, b *diff.Path) int { return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Key, b.Key)) })
	for _, path := range paths {
		if name := path.Service + " " + path.Operation; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
