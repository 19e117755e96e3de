package diff

import (
	"cmp"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// A service may be spread over so many operations, or over so many paths, that
// none has enough requests for an answer while all together have plenty.

// askEndpoints asks about the requests of all endpoints of a service that have
// too few of their own.
func (c *comparison) askEndpoints(q *question) {
	for _, paths := range c.groupedByService(func(path *trace.Path, id trace.PathID) bool {
		return path.Parent == trace.None && !c.endpoints[c.endpointOf[id]].judged
	}) {
		p, enough := c.poolOf(q, paths, nil)
		if !enough || len(paths) < 2 {
			continue
		}
		p.askShift(Latency, func(s *sample) []float64 { return s.durations }, durationOf)
		p.askShift(SelfTime, func(s *sample) []float64 { return s.selfs }, selfOf)
		p.askErrors()
	}
}

// maxOwnPower is the number of requests of a path from which on it is left to
// itself: the tests of one path suffice there.
const maxOwnPower = 200

// askServices asks about the way to a service and its own work over all of its
// paths that few requests take, one request counted once.
func (c *comparison) askServices(q *question) {
	for _, paths := range c.groupedByService(func(path *trace.Path, id trace.PathID) bool {
		return path.Parent != trace.None && min(len(c.baseline.of(id)), len(c.candidate.of(id))) < maxOwnPower
	}) {
		if len(paths) < 2 {
			continue
		}
		p, enough := c.poolOf(q, paths, c.firstOfRequest(paths))
		if !enough {
			continue
		}
		p.askAligned(SelfTime, func(s *sample) []float64 { return s.selfs }, selfOf)
		p.askAligned(Gap, func(s *sample) []float64 { return s.gaps }, gapOf)
	}
}

// askAligned is for strata of a few requests each, where ranks within them tell
// little: the durations of every stratum are put in relation to its median of
// both sides, and ranked together (aligned ranks: Hodges and Lehmann 1962).
func (p *pool) askAligned(aspect Aspect, values func(*sample) []float64, value func(*call) int64) {
	samples, usual := make([]stats.Samples, len(p.strata)), make([]float64, len(p.strata))
	var before, after []float64
	for i := range p.strata {
		s := &p.strata[i]
		samples[i] = stats.Samples{X: values(&s.baseline), Y: values(&s.candidate)}
		if min(len(samples[i].X), len(samples[i].Y)) == 0 {
			samples[i] = stats.Samples{}
			continue
		}
		usual[i] = stats.MedianOf(logarithms(slices.Concat(samples[i].X, samples[i].Y)))
		for _, x := range samples[i].X {
			before = append(before, math.Log(x+resolution)-usual[i])
		}
		for _, y := range samples[i].Y {
			after = append(after, math.Log(y+resolution)-usual[i])
		}
		superiority := stats.VanElteren(samples[i : i+1]).Superiority
		s.up, s.down = superiority > 0.5, superiority < 0.5
	}
	if len(before) < p.options.MinTraces || len(after) < p.options.MinOccurrences {
		return
	}
	slices.Sort(before)
	slices.Sort(after)
	ranks := stats.MannWhitney(before, after)
	scores := func(add func(uint8, float64)) {
		p.eachInTime(value, func(block uint8, stratum int, mean float64) {
			if len(samples[stratum].X) > 0 {
				aligned := math.Log(mean+resolution) - usual[stratum]
				add(block, rankOf(aligned, before)+rankOf(aligned, after))
			}
		})
	}
	if stats.Quantile(after, 0.25) > before[len(before)-1]+math.Ln2 {
		scores = nil // no moment of the baseline came near: how moments vary cannot explain it
	}
	p.askOf(aspect, timings, ranks.PValue, stats.Information(len(before), len(after)), ranks.Superiority > 0.5, scores, func(t *hypothesis) {
		change := 0.0
		t.effect, change = p.shift(samples)
		t.large = math.Abs(ranks.Superiority-0.5) >= p.options.MinSuperiority-0.5 &&
			apart(t.effect.Estimate, p.options.MinRatio) && excludesOne(t.effect) && change >= 1
	})
}

// groupedByService lists the paths of every service that occur on both sides.
func (c *comparison) groupedByService(include func(*trace.Path, trace.PathID) bool) [][]trace.PathID {
	type member struct {
		service string
		kind    trace.Kind
	}
	number := map[member]int{}
	var lists [][]trace.PathID
	for id := range trace.PathID(c.paths.Len()) {
		path := c.paths.Path(id)
		if path.Service == "" || min(len(c.baseline.of(id)), len(c.candidate.of(id))) == 0 || !include(path, id) {
			continue
		}
		key := member{path.Service, path.Kind}
		index, known := number[key]
		if !known {
			index = len(lists)
			number[key], lists = index, append(lists, nil)
		}
		lists[index] = append(lists[index], id)
	}
	return lists
}

// firstOfRequest keeps, of the calls of several paths, those of one path for
// every request: of the one that most requests take.
func (c *comparison) firstOfRequest(paths []trace.PathID) func(p *population, id trace.PathID) []call {
	order := slices.Clone(paths)
	slices.SortStableFunc(order, func(a, b trace.PathID) int {
		return cmp.Compare(len(c.baseline.of(b))+len(c.candidate.of(b)), len(c.baseline.of(a))+len(c.candidate.of(a)))
	})
	taken := map[*population]map[int32]trace.PathID{c.baseline: {}, c.candidate: {}}
	for p, requests := range taken {
		for _, id := range order {
			p.eachOccurrence(id, func(request int32) {
				if _, exists := requests[request]; !exists {
					requests[request] = id
				}
			})
		}
	}
	return func(p *population, id trace.PathID) []call {
		return slices.DeleteFunc(slices.Clone(p.of(id)), func(held call) bool { return taken[p][held.request] != id })
	}
}

// poolOf measures the paths as strata; enough says that they have the requests
// for a judgement.
func (c *comparison) poolOf(q *question, paths []trace.PathID, calls func(*population, trace.PathID) []call) (p *pool, enough bool) {
	if calls == nil {
		calls = func(p *population, id trace.PathID) []call { return p.of(id) }
	}
	p = &pool{question: q, comparison: c}
	before, after := 0, 0
	for _, id := range paths {
		s := stratum{path: id, endpoint: &c.endpoints[c.endpointOf[id]]}
		s.baseline.measure(calls(c.baseline, id), s.endpoint.Baseline)
		s.candidate.measure(calls(c.candidate, id), s.endpoint.Candidate)
		before, after = before+s.baseline.present, after+s.candidate.present
		p.strata = append(p.strata, s)
	}
	return p, before >= c.options.MinTraces && after >= c.options.MinOccurrences && p.hasRequests()
}

// hasRequests says that the endpoints of all strata have, together, the requests
// that a judgement needs on both sides.
func (p *pool) hasRequests() bool {
	before, after := 0, 0
	counted := map[*endpoint]bool{}
	for i := range p.strata {
		if e := p.strata[i].endpoint; !counted[e] {
			counted[e] = true
			before, after = before+e.Baseline, after+e.Candidate
		}
	}
	return min(before, after) >= p.options.MinTraces
}

// minBalance is the least information that endpoints hold one by one, against
// what they would hold if both sides had the same mixture of them.
const minBalance = 0.75

// pooledEquivalence is whether the endpoints with too few requests of their own
// are, together, shown to take as long as before: each endpoint's durations are
// put in relation to what is usual for it, over both sides.
func (c *comparison) pooledEquivalence() {
	var before, after []float64
	var logs []float64
	largest, information := -1, 0.0
	var failed stats.Pair
	for i := range c.endpoints {
		e := &c.endpoints[i]
		if e.judged || min(e.Baseline, e.Candidate) == 0 {
			continue
		}
		c.rest.Baseline += e.Baseline
		c.rest.Candidate += e.Candidate
		information += stats.Information(e.Baseline, e.Candidate)
		if largest < 0 || e.Baseline+e.Candidate > c.endpoints[largest].Baseline+c.endpoints[largest].Candidate {
			largest = i
		}
		sum := 0.0
		own := slices.Concat(c.baseline.of(e.root), c.candidate.of(e.root))
		for k := range own {
			sum += math.Log(float64(own[k].duration) + resolution)
		}
		usual := sum / float64(len(own))
		logs = append(logs, usual)
		failed.X.Trials, failed.Y.Trials = failed.X.Trials+e.Baseline, failed.Y.Trials+e.Candidate
		for _, held := range c.baseline.of(e.root) {
			failed.X.Successes += one(held.failed)
			before = append(before, math.Log(float64(held.duration)+resolution)-usual)
		}
		for _, held := range c.candidate.of(e.root) {
			failed.Y.Successes += one(held.failed)
			after = append(after, math.Log(float64(held.duration)+resolution)-usual)
		}
	}
	if len(logs) < 2 || min(len(before), len(after)) < c.options.MinTraces ||
		information < minBalance*stats.Information(len(before), len(after)) {
		c.rest = endpoint{}
		return
	}
	scale := stats.MedianOf(logs)
	for _, side := range []*[]float64{&before, &after} {
		for i, value := range *side {
			(*side)[i] = math.Exp(value + scale)
		}
		slices.Sort(*side)
	}
	r := &c.rest
	root := c.results[c.endpoints[largest].root]
	r.root, r.judged = c.endpoints[largest].root, true
	r.Service, r.Operation = root.Service, manyOperations(len(logs))
	r.BaselineDuration, r.CandidateDuration = quantileOf(before), quantileOf(after)
	r.minChange = max(float64(c.options.MinChange), 0.01*r.BaselineDuration.P50)
	change := ratio(before, after)
	r.Change, r.ChangeLower, r.ChangeUpper = change.Estimate, change.Lower, change.Upper
	r.MeanChange = r.CandidateDuration.Mean - r.BaselineDuration.Mean
	r.equivalence = equivalenceOf(before, after, c.options.MinRatio, r.minChange)
	r.equivalence.excludeFailures(failed.X, failed.Y)
}
