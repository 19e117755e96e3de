package diff

import (
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// minMoved is by how much the share of requests with a call must move to be a
// change by itself, however few calls that is.
const minMoved = 0.05

// maxShapes is the most kinds of requests of an endpoint that are distinguished
// where presence is compared within each.
const maxShapes = 40

// askMoved tests whether the caller makes a call in clearly more or fewer of its
// requests. Requests of one endpoint are of several kinds, and traffic of
// another time of the day has them in another mixture; so unless both sides are
// of the same time, a change must show among requests that are alike in all
// other calls, or as requests of a form that the baseline never had: calls that
// break off. A move that neither shows is no finding, but forbids to say that
// nothing changed.
func (q *question) askMoved(c *comparison, before, after *callCounts) {
	first, second := before.presence(), after.presence()
	change := math.Abs(second.Rate() - first.Rate())
	if change < minMoved/5 || min(first.Trials, second.Trials) < q.options.MinTraces {
		return // requests of other kinds hide a part of it, but hardly more
	}
	plain := stats.FisherMidP(first, second)
	if c.baseline.shapes == nil {
		c.describeShapes()
	}
	strata := []stats.Pair{{X: first, Y: second}}
	stratum := func(int) int { return 0 }
	if !c.concurrent() {
		strata, stratum = c.alike(q.path, before, after)
	}
	pValue, moved := stats.StratifiedMidP(strata), commonDifference(strata)
	if broken := c.brokenOff(q.path, before, after); broken < pValue && second.Rate() < first.Rate() {
		pValue, moved = broken, second.Rate()-first.Rate()
		strata, stratum = []stats.Pair{{X: first, Y: second}}, func(int) int { return 0 }
	}
	isMoved := change >= minMoved && plain <= overwhelming
	if pValue > overwhelming && !isMoved {
		return
	}
	scores := func(add func(uint8, float64)) {
		for i, request := range before.requests {
			add(q.blocks[request], float64(one(before.counts[i] > 0))-strata[stratum(i)].X.Rate())
		}
	}
	q.ask(Calls, structure, pValue, stats.Information(first.Trials, second.Trials), second.Rate() > first.Rate(), scores, func(t *hypothesis) {
		t.effect = stats.RateRatio(before.counts, before.callers, after.counts, after.callers, confidence)
		t.large = pValue <= overwhelming && math.Abs(moved) >= minMoved && (moved > 0) == (second.Rate() > first.Rate())
	})
	t := &q.tests[len(q.tests)-1]
	if t.moved = isMoved; isMoved {
		t.raw = min(t.raw, plain)
	}
}

// commonDifference is the difference of proportions within strata, each weighed
// by what it tells (Cochran 1954; Mantel and Haenszel's weights).
func commonDifference(strata []stats.Pair) float64 {
	sum, weights := 0.0, 0.0
	for _, s := range strata {
		if s.X.Trials == 0 || s.Y.Trials == 0 {
			continue
		}
		weight := float64(s.X.Trials) * float64(s.Y.Trials) / float64(s.X.Trials+s.Y.Trials)
		sum += weight * (s.Y.Rate() - s.X.Rate())
		weights += weight
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}

// concurrent says that both populations are of the same time, so that a load
// balancer gave both the same mixture of requests.
func (c *comparison) concurrent() bool {
	before, now := c.baseline.whole(), c.candidate.whole()
	common := min(before.last, now.last) - max(before.first, now.first)
	return 2*common >= min(before.last-before.first, now.last-now.first) && common > 0
}

// alike groups the requests of a path's caller by all other calls that they
// make, and counts those with the path in each group. stratum is the group of
// the baseline's requests.
func (c *comparison) alike(path trace.PathID, before, after *callCounts) (strata []stats.Pair, stratum func(int) int) {
	below := c.subtree(path)
	numbers, sizes := map[uint64]int{}, []int{}
	number := func(p *population, request int32) int {
		shape := p.shapes[request] - below[p][request]
		known, exists := numbers[shape]
		if !exists {
			known = len(sizes)
			numbers[shape], sizes = known, append(sizes, 0)
		}
		sizes[known]++
		return known
	}
	groups, later := make([]int, len(before.requests)), make([]int, len(after.requests))
	for i, request := range before.requests {
		groups[i] = number(c.baseline, request)
	}
	for i, request := range after.requests {
		later[i] = number(c.candidate, request)
	}
	strata = make([]stats.Pair, len(sizes))
	for i, group := range groups {
		strata[group].X.Trials++
		strata[group].X.Successes += one(before.counts[i] > 0)
	}
	for i, group := range later {
		strata[group].Y.Trials++
		strata[group].Y.Successes += one(after.counts[i] > 0)
	}
	if len(sizes) > maxShapes { // the rest shows nothing
		smallest := slices.Sorted(slices.Values(sizes))[len(sizes)-maxShapes]
		for group, size := range sizes {
			if size < smallest {
				strata[group].Y = stats.Proportion{}
			}
		}
	}
	return strata, func(i int) int { return groups[i] }
}

// brokenOff is the evidence that requests without the path take a form that the
// baseline does not know, although it knows all of their calls. How many of any
// new form are to be expected is told by how many forms the baseline has seen
// once (Good 1953).
func (c *comparison) brokenOff(path trace.PathID, before, after *callCounts) float64 {
	if len(before.requests) < c.options.MinTracesForNew {
		return 1
	}
	seen := map[uint64]int{}
	for _, request := range before.requests {
		seen[c.baseline.shapes[request]]++
	}
	once := 0
	for _, count := range seen {
		once += one(count == 1)
	}
	broken := 0
	for i, request := range after.requests {
		shape := c.candidate.shapes[request]
		broken += one(after.counts[i] == 0 && seen[shape] == 0 && !c.candidate.hasNew[request])
	}
	if float64(broken) < minMoved*float64(len(after.requests)) {
		return 1
	}
	return stats.FisherMidP(stats.Proportion{Successes: once, Trials: len(before.requests)},
		stats.Proportion{Successes: broken, Trials: len(after.requests)})
}

// describeShapes sums up, for every request, which paths it has.
func (c *comparison) describeShapes() {
	for _, p := range []*population{c.baseline, c.candidate} {
		p.shapes, p.hasNew = make([]uint64, len(p.requests)), make([]bool, len(p.requests))
		for id := range trace.PathID(c.paths.Len()) {
			isNew := len(c.baseline.of(id)) == 0
			p.eachOccurrence(id, func(request int32) {
				p.shapes[request] += scrambled(id)
				p.hasNew[request] = p.hasNew[request] || isNew
			})
		}
	}
}

// subtree is, for every request, the part of its shape that a path and all
// below it make.
func (c *comparison) subtree(path trace.PathID) map[*population][]uint64 {
	parts := map[*population][]uint64{
		c.baseline: make([]uint64, len(c.baseline.requests)), c.candidate: make([]uint64, len(c.candidate.requests)),
	}
	within := make([]bool, c.paths.Len())
	within[path] = true
	for id := path; id < trace.PathID(c.paths.Len()); id++ { // calls come after their callers
		if parent := c.paths.Path(id).Parent; parent >= path && within[parent] {
			within[id] = true
		}
		if within[id] {
			for p, part := range parts {
				p.eachOccurrence(id, func(request int32) { part[request] += scrambled(id) })
			}
		}
	}
	return parts
}

// eachOccurrence visits the requests in which a path occurs, each once.
func (p *population) eachOccurrence(path trace.PathID, visit func(request int32)) {
	last := int32(-1)
	for _, c := range p.of(path) {
		if c.request != last {
			visit(c.request)
			last = c.request
		}
	}
}

// scrambled is a path's number as 64 random bits, so that sums tell sets apart
// (the finaliser of SplitMix64: Steele, Lea and Flood 2014).
func scrambled(path trace.PathID) uint64 {
	x := (uint64(path) + 1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
