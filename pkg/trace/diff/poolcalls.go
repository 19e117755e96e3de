package diff

import (
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// edge is a call of one operation by another, wherever it happens.
type edge struct{ caller, callee operation }

// askPooledCalls asks whether a call that operations of several endpoints make
// is new, gone, or made by clearly more or fewer of the callers' requests: each
// endpoint alone may have too few.
func (c *comparison) askPooledCalls(q *question) {
	number := map[edge]int{}
	var lists [][]trace.PathID
	for id := range trace.PathID(c.paths.Len()) {
		path := c.paths.Path(id)
		if path.Parent == trace.None || path.Service == "" || c.endpoints[c.endpointOf[id]].judged {
			continue
		}
		caller := c.paths.Path(path.Parent)
		key := edge{operation{caller.Service, "", caller.Kind}, operation{path.Service, path.Operation, path.Kind}}
		index, known := number[key]
		if !known {
			index = len(lists)
			number[key], lists = index, append(lists, nil)
		}
		lists[index] = append(lists[index], id)
	}
	for _, paths := range lists {
		if len(paths) >= 2 {
			c.askPooledPresence(q, paths)
		}
	}
}

func (c *comparison) askPooledPresence(q *question, paths []trace.PathID) {
	p := pool{question: q, comparison: c}
	var pairs []stats.Pair
	var all stats.Pair
	var before, after callCounts
	counts := make([]callCounts, 0, len(paths))
	for _, id := range paths {
		parent := c.paths.Path(id).Parent
		before = callCounts{}
		before.read(c.baseline, c.baseline.of(id), c.baseline.of(parent))
		after.read(c.candidate, c.candidate.of(id), c.candidate.of(parent))
		if min(len(before.counts), len(after.counts)) == 0 {
			continue
		}
		pair := stats.Pair{X: before.presence(), Y: after.presence()}
		pairs, counts = append(pairs, pair), append(counts, before)
		all.X.Successes, all.X.Trials = all.X.Successes+pair.X.Successes, all.X.Trials+pair.X.Trials
		all.Y.Successes, all.Y.Trials = all.Y.Successes+pair.Y.Successes, all.Y.Trials+pair.Y.Trials
		s := stratum{path: id, endpoint: &c.endpoints[c.endpointOf[id]], up: pair.Y.Rate() > pair.X.Rate(), down: pair.Y.Rate() < pair.X.Rate()}
		s.baseline.measure(c.baseline.of(id), s.endpoint.Baseline)
		s.candidate.measure(c.candidate.of(id), s.endpoint.Candidate)
		p.strata = append(p.strata, s)
	}
	var aspect Aspect
	with, without := all.Y, all.X
	switch {
	case len(pairs) < 2 || min(all.X.Trials, all.Y.Trials) < c.options.MinTraces || all.X.Successes+all.Y.Successes == 0:
		return
	case all.X.Successes == 0:
		aspect = New
	case all.Y.Successes == 0:
		aspect, with, without = Gone, all.X, all.Y
	default:
		return // the traffic may differ within endpoints, and each has too few requests to tell
	}
	var shared []trace.PathID
	for i := range p.strata {
		if p.strata[i].up && aspect == New || p.strata[i].down && aspect == Gone {
			shared = append(shared, p.strata[i].path)
		}
	}
	scores := func(add func(uint8, float64)) {
		for i := range counts {
			for k, request := range counts[i].requests {
				add(q.blocks[request], float64(one(counts[i].counts[k] > 0))-pairs[i].X.Rate())
			}
		}
	}
	q.path = shared[0]
	q.ask(aspect, structure, stats.StratifiedMidP(pairs), stats.Information(all.X.Trials, all.Y.Trials), aspect == New, scores, func(t *hypothesis) {
		t.effect = stats.Wilson(with, confidence)
		t.large = without.Trials >= q.options.MinTracesForNew && with.Rate() >= minPresence
	})
	q.tests[len(q.tests)-1].shared = shared
}
