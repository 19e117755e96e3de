package diff

import (
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// Hint is where to look first when nothing is proven: the service with the
// strongest of the weak evidence.
type Hint struct {
	Service, Operation string
	Path               string // key of a path of the operation
	Kind               Aspect // what of it may have changed
	// PValue is the chance of evidence as strong somewhere on the service if
	// nothing changed, dependence aside. It is not adjusted for the number of
	// services.
	PValue float64
}

const (
	// minForHint is how many requests each side needs with an operation.
	minForHint = 5
	maxHints   = 5
	// usual is the share of the baseline's blocks that tells how much it varies: a
	// past incident shall not hide a present one.
	usual = 0.8
)

// hints looks at operations wherever they are called, with whatever requests
// there are, and ranks services by their strongest evidence. Nothing of it is
// significant, or there would be a finding; but who knows from elsewhere that
// something is wrong knows where to begin.
func (c *comparison) hints() []Hint {
	l := hints{comparison: c, callees: map[trace.PathID][]trace.PathID{}, evidence: map[string][]Hint{}}
	for id := range trace.PathID(c.paths.Len()) {
		if parent := c.paths.Path(id).Parent; parent != trace.None {
			l.callees[parent] = append(l.callees[parent], id)
		}
	}
	for _, paths := range c.operations(1) {
		l.look(paths)
	}
	var ranked []Hint
	for _, service := range slices.Sorted(maps.Keys(l.evidence)) {
		tests := l.evidence[service]
		best := slices.MinFunc(tests, func(a, b Hint) int { return cmp.Compare(a.PValue, b.PValue) })
		if best.PValue *= float64(len(tests)); best.PValue < 1 {
			ranked = append(ranked, best)
		}
	}
	slices.SortStableFunc(ranked, func(a, b Hint) int { return cmp.Compare(a.PValue, b.PValue) })
	return ranked[:min(len(ranked), maxHints)]
}

type hints struct {
	*comparison
	callees  map[trace.PathID][]trace.PathID
	evidence map[string][]Hint // of every service: its tests
}

// look takes the evidence of one operation, over all its paths.
func (l *hints) look(paths []trace.PathID) {
	strata := make([]stratum, len(paths))
	before, after := 0, 0
	for i, id := range paths {
		s := &strata[i]
		s.path, s.endpoint = id, &l.endpoints[l.endpointOf[id]]
		s.baseline.measure(l.baseline.of(id), s.endpoint.Baseline)
		s.candidate.measure(l.candidate.of(id), s.endpoint.Candidate)
		before, after = before+s.baseline.present, after+s.candidate.present
	}
	if min(before, after) < minForHint {
		return
	}
	l.time(strata, SelfTime, func(s *sample) []float64 { return s.selfs }, selfOf)
	l.time(strata, Gap, func(s *sample) []float64 { return s.gaps }, gapOf)
	l.failures(strata)
	l.calls(strata)
}

func (l *hints) add(service string, kind Aspect, path trace.PathID, pValue float64) {
	if service != "" && !math.IsNaN(pValue) {
		l.evidence[service] = append(l.evidence[service], Hint{
			Service: service, Operation: l.results[path].Operation, Path: l.results[path].Key, Kind: kind, PValue: pValue,
		})
	}
}

// time compares the time of its own, one-sided: longer is suspicious.
func (l *hints) time(strata []stratum, kind Aspect, values func(*sample) []float64, value func(*call) int64) {
	samples := make([]stats.Samples, len(strata))
	for i := range strata {
		samples[i] = stats.Samples{X: values(&strata[i].baseline), Y: values(&strata[i].candidate)}
	}
	ranks := stats.VanElteren(samples)
	var blocks [maxBlocks]stats.Block
	l.pool(strata).eachInTime(value, func(block uint8, stratum int, mean float64) {
		s := &samples[stratum]
		blocks[block].Add((rankOf(mean, s.X) + rankOf(mean, s.Y)) / float64(len(s.X)+len(s.Y)+1))
	})
	l.add(l.paths.Path(strata[0].path).Service, kind, strata[0].path, oneSided(ranks.PValue, ranks.Superiority > 0.5, &blocks))
}

func (l *hints) pool(strata []stratum) *pool {
	return &pool{comparison: l.comparison, strata: strata}
}

// oneSided is the p-value against more, or longer, discounted by how much the
// blocks of the baseline vary.
func oneSided(pValue float64, more bool, blocks *[maxBlocks]stats.Block) float64 {
	dispersion, freedom := stats.Dispersion(blocks[:], usual)
	pValue = stats.Inflate(pValue, dispersion, freedom) / 2
	if more {
		return pValue
	}
	return 1 - pValue
}

// failures compares how many requests begin to fail here.
func (l *hints) failures(strata []stratum) {
	pairs := make([]stats.Pair, len(strata))
	total := 0
	for i := range strata {
		before, after := &strata[i].baseline, &strata[i].candidate
		pairs[i] = stats.Pair{
			X: stats.Proportion{Successes: before.origin, Trials: before.present},
			Y: stats.Proportion{Successes: after.origin, Trials: after.present},
		}
		total += before.origin + after.origin
	}
	if total == 0 {
		return
	}
	var blocks [maxBlocks]stats.Block
	failed := func(c *call) int64 { return int64(one(c.origin)) }
	l.pool(strata).eachInTime(failed, func(block uint8, stratum int, mean float64) {
		blocks[block].Add(float64(one(mean > 0)) - pairs[stratum].X.Rate())
	})
	l.add(l.paths.Path(strata[0].path).Service, ErrorRate, strata[0].path, oneSided(stats.StratifiedMidP(pairs), excess(pairs) > 0, &blocks))
}

// excess is by how many the candidate's successes exceed what the strata's
// totals let expect.
func excess(pairs []stats.Pair) (excess float64) {
	for _, p := range pairs {
		if n := p.X.Trials + p.Y.Trials; n > 0 {
			excess += float64(p.Y.Successes) - float64(p.X.Successes+p.Y.Successes)*float64(p.Y.Trials)/float64(n)
		}
	}
	return excess
}

// callee is an operation that others call.
type callee struct{ service, name string }

// calls compares which calls the operation makes, and which is its last. An
// operation that ends early after a call may have been given a bad answer.
func (l *hints) calls(strata []stratum) {
	made, last := occurrences{}, occurrences{}
	for i := range strata {
		caller := strata[i].path
		before, after := l.callsOf(l.baseline, caller), l.callsOf(l.candidate, caller)
		for _, id := range l.callees[caller] {
			path := l.paths.Path(id)
			key := callee{path.Service, path.Operation}
			made.add(key, id, before, after, func(r *callerRequest) bool { return slices.Contains(r.called, id) })
			last.add(key, id, before, after, func(r *callerRequest) bool { return r.last == id })
		}
	}
	service := l.paths.Path(strata[0].path).Service
	for key, o := range made.all() {
		pValue, more, blocks := stats.StratifiedMidP(o.pairs), excess(o.pairs) > 0, o.blocks()
		l.add(service, New, o.path, oneSided(pValue, more, blocks))
		l.add(service, Gone, o.path, oneSided(pValue, !more, blocks))
		if key.service == service {
			continue
		}
		l.add(key.service, Gone, o.path, oneSided(pValue, !more, blocks))
		if o := last[key]; !slices.Equal(o.pairs, made[key].pairs) { // it is not the last anyway
			l.add(key.service, Last, o.path, oneSided(stats.StratifiedMidP(o.pairs), excess(o.pairs) > 0, o.blocks()))
		}
	}
}

// callerRequest is what an operation called in one request.
type callerRequest struct {
	start  int64 // of the request
	called []trace.PathID
	last   trace.PathID // the call that began last; None without calls
	begun  int64
}

// callsOf are the requests in which a path occurs, with its calls. Requests
// with missing parts are left out: what is not there says nothing.
func (l *hints) callsOf(p *population, caller trace.PathID) []callerRequest {
	at := map[int32]int{}
	var requests []callerRequest
	for _, c := range p.of(caller) {
		if _, known := at[c.request]; !known && !p.requests[c.request].fragmented {
			at[c.request] = len(requests)
			requests = append(requests, callerRequest{start: p.requests[c.request].start, last: trace.None, begun: math.MinInt64})
		}
	}
	for _, id := range l.callees[caller] {
		for _, c := range p.of(id) {
			i, known := at[c.request]
			if !known {
				continue
			}
			r := &requests[i]
			if len(r.called) == 0 || r.called[len(r.called)-1] != id {
				r.called = append(r.called, id)
			}
			if c.start > r.begun {
				r.last, r.begun = id, c.start
			}
		}
	}
	return requests
}

// occurrences are in how many requests something holds for a callee.
type occurrences map[callee]*occurrence

type occurrence struct {
	path     trace.PathID // an example
	pairs    []stats.Pair
	observed []scored // in the baseline
}

type scored struct {
	start int64
	score float64 // 1 where it holds, less the mean of the path
}

func (o occurrences) add(key callee, id trace.PathID, before, after []callerRequest, holds func(*callerRequest) bool) {
	if o[key] == nil {
		o[key] = &occurrence{path: id}
	}
	held := o[key]
	pair := stats.Pair{X: count(before, holds), Y: count(after, holds)}
	held.pairs = append(held.pairs, pair)
	for i := range before {
		held.observed = append(held.observed, scored{before[i].start, float64(one(holds(&before[i]))) - pair.X.Rate()})
	}
}

func count(requests []callerRequest, holds func(*callerRequest) bool) stats.Proportion {
	p := stats.Proportion{Trials: len(requests)}
	for i := range requests {
		p.Successes += one(holds(&requests[i]))
	}
	return p
}

// all visits the callees in a fixed order.
func (o occurrences) all() iter.Seq2[callee, *occurrence] {
	return func(yield func(callee, *occurrence) bool) {
		keys := slices.SortedFunc(maps.Keys(o), func(a, b callee) int {
			return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name))
		})
		for _, key := range keys {
			if !yield(key, o[key]) {
				return
			}
		}
	}
}

func (o *occurrence) blocks() *[maxBlocks]stats.Block {
	slices.SortStableFunc(o.observed, func(a, b scored) int { return cmp.Compare(a.start, b.start) })
	var blocks [maxBlocks]stats.Block
	count := min(maxBlocks, max(1, len(o.observed)/2))
	for i, s := range o.observed {
		blocks[i*count/len(o.observed)].Add(s.score)
	}
	return &blocks
}
