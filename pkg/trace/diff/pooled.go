package diff

import (
	"cmp"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// operation is a call wherever it happens.
type operation struct {
	service, name string
	kind          trace.Kind
}

// stratum is one path of an operation: one endpoint that makes the call.
type stratum struct {
	path                trace.PathID
	endpoint            *endpoint
	baseline, candidate sample
	// sign of the path's own difference; of the aspect last asked.
	up, down bool
}

// pooled asks about operations that several endpoints use. Each endpoint alone
// may have too few requests for an answer while all together have enough;
// durations are compared within each endpoint and only the evidence is put
// together, so that a shift of traffic between endpoints means nothing. Of
// each endpoint only the path with the most requests takes part: two paths of
// one request would not be independent.
func (c *comparison) askPooled(q *question) {
	q.moments = c.candidate.whole().moments(c.baseline.whole())
	c.askEndpoints(q)
	c.askServices(q)
	c.askPooledCalls(q)
	for _, paths := range c.operations(2) {
		strata := make([]stratum, 0, len(paths))
		before, after := 0, 0
		for _, id := range paths {
			s := stratum{path: id, endpoint: &c.endpoints[c.endpointOf[id]]}
			s.baseline.measure(c.baseline.of(id), s.endpoint.Baseline)
			s.candidate.measure(c.candidate.of(id), s.endpoint.Candidate)
			before, after = before+s.baseline.present, after+s.candidate.present
			strata = append(strata, s)
		}
		if min(before, after) < c.options.MinTraces {
			continue
		}
		p := pool{question: q, comparison: c, strata: strata}
		p.askShift(Latency, func(s *sample) []float64 { return s.durations }, durationOf)
		p.askShift(SelfTime, func(s *sample) []float64 { return s.selfs }, selfOf)
		p.askShift(Gap, func(s *sample) []float64 { return s.gaps }, gapOf)
		p.askErrors()
	}
}

// operations lists, of every operation with at least so many endpoints, the path
// with the most requests in each endpoint; in the order of the paths.
func (c *comparison) operations(endpoints int) [][]trace.PathID {
	number := map[operation]int{}
	var lists [][]trace.PathID
	occurrences := func(id trace.PathID) int { return min(len(c.baseline.of(id)), len(c.candidate.of(id))) }
	for id := range trace.PathID(c.paths.Len()) {
		path := c.paths.Path(id)
		if occurrences(id) == 0 || path.Service == "" || path.Parent == trace.None && endpoints > 1 {
			continue
		}
		key := operation{path.Service, path.Operation, path.Kind}
		index, known := number[key]
		if !known {
			index = len(lists)
			number[key], lists = index, append(lists, nil)
		}
		same := slices.IndexFunc(lists[index], func(other trace.PathID) bool { return c.endpointOf[other] == c.endpointOf[id] })
		switch {
		case same < 0:
			lists[index] = append(lists[index], id)
		case occurrences(id) > occurrences(lists[index][same]):
			lists[index][same] = id
		}
	}
	return slices.DeleteFunc(lists, func(paths []trace.PathID) bool { return len(paths) < endpoints })
}

// pool is the question about one operation.
type pool struct {
	*question
	comparison *comparison
	strata     []stratum
}

// askShift is van Elteren's test; the effect is the weighed mean of the
// endpoints' Hodges–Lehmann shifts of the logarithms.
func (p *pool) askShift(aspect Aspect, values func(*sample) []float64, value func(*call) int64) {
	samples := make([]stats.Samples, len(p.strata))
	information := 0.0
	for i := range p.strata {
		s := &p.strata[i]
		samples[i] = stats.Samples{X: values(&s.baseline), Y: values(&s.candidate)}
		information += stats.Information(len(samples[i].X), len(samples[i].Y))
		superiority := stats.VanElteren(samples[i : i+1]).Superiority
		s.up, s.down = superiority > 0.5, superiority < 0.5
	}
	ranks := stats.VanElteren(samples)
	scores := func(add func(uint8, float64)) {
		p.eachInTime(value, func(block uint8, stratum int, mean float64) {
			s := &samples[stratum]
			add(block, (rankOf(mean, s.X)+rankOf(mean, s.Y))/float64(len(s.X)+len(s.Y)+1))
		})
	}
	p.askOf(aspect, timings, ranks.PValue, information, ranks.Superiority > 0.5, scores, func(t *hypothesis) {
		change := 0.0 // in units of the least that counts
		t.effect, change = p.shift(samples)
		t.large = math.Abs(ranks.Superiority-0.5) >= p.options.MinSuperiority-0.5 &&
			apart(t.effect.Estimate, p.options.MinRatio) && excludesOne(t.effect) && change >= 1
	})
}

// shift combines the ratios of the strata, and their changes of time per
// request in units of the least change that counts.
func (p *pool) shift(samples []stats.Samples) (ratio stats.Interval, change float64) {
	sum, lower, upper, weights := 0.0, 0.0, 0.0, 0.0
	for i, s := range samples {
		if len(s.X) == 0 || len(s.Y) == 0 {
			continue
		}
		weight, stratum := s.Weight(), &p.strata[i]
		shift := stats.HodgesLehmann(logarithms(s.X), logarithms(s.Y), confidence)
		sum += weight * shift.Estimate
		lower += weight * weight * (shift.Estimate - shift.Lower) * (shift.Estimate - shift.Lower)
		upper += weight * weight * (shift.Upper - shift.Estimate) * (shift.Upper - shift.Estimate)
		absolute := stats.HodgesLehmann(s.X, s.Y, confidence).Estimate * stratum.candidate.callsPerOccurrence()
		change += weight * absolute / stratum.endpoint.minChange
		weights += weight
	}
	if weights == 0 {
		return stats.Interval{Estimate: 1, Lower: 1, Upper: 1}, 0
	}
	return stats.Interval{
		Estimate: math.Exp(sum / weights),
		Lower:    math.Exp((sum - math.Sqrt(lower)) / weights), Upper: math.Exp((sum + math.Sqrt(upper)) / weights),
	}, math.Abs(change / weights)
}

// askErrors is the exact test of a common odds ratio.
func (p *pool) askErrors() {
	pairs := make([]stats.Pair, len(p.strata))
	var all stats.Pair
	information := 0.0
	for i := range p.strata {
		s := &p.strata[i]
		pairs[i] = stats.Pair{
			X: stats.Proportion{Successes: s.baseline.failed, Trials: s.baseline.present},
			Y: stats.Proportion{Successes: s.candidate.failed, Trials: s.candidate.present},
		}
		s.up, s.down = pairs[i].Y.Rate() > pairs[i].X.Rate(), pairs[i].Y.Rate() < pairs[i].X.Rate()
		all.X.Successes, all.X.Trials = all.X.Successes+pairs[i].X.Successes, all.X.Trials+pairs[i].X.Trials
		all.Y.Successes, all.Y.Trials = all.Y.Successes+pairs[i].Y.Successes, all.Y.Trials+pairs[i].Y.Trials
		information += stats.Information(pairs[i].X.Trials, pairs[i].Y.Trials)
	}
	if all.X.Successes+all.Y.Successes == 0 {
		return
	}
	scores := func(add func(uint8, float64)) {
		failed := func(c *call) int64 { return int64(one(c.failed)) }
		p.eachInTime(failed, func(block uint8, stratum int, mean float64) {
			add(block, float64(one(mean > 0))-pairs[stratum].X.Rate())
		})
	}
	expected := 0.0
	for _, pair := range pairs {
		expected += pair.X.Rate() * float64(pair.Y.Trials)
	}
	up := float64(all.Y.Successes) > expected
	p.askOf(ErrorRate, failures, stats.StratifiedMidP(pairs), information, up, scores, func(t *hypothesis) {
		t.effect = stats.Newcombe(all.X, all.Y, confidence)
		low, high := min(all.X.Rate(), all.Y.Rate()), max(all.X.Rate(), all.Y.Rate())
		t.large = high >= low*p.options.MinErrorRatio && high-low >= p.options.MinErrorChange && all.Y.Rate() > all.X.Rate() == up
	})
}

// askOf adds the test with the endpoints that it holds for: those that differ
// in the same direction.
func (p *pool) askOf(aspect Aspect, family family, pValue, information float64, up bool, scores func(func(uint8, float64)), effect func(*hypothesis)) {
	var shared []trace.PathID
	for i := range p.strata {
		s := &p.strata[i]
		if s.candidate.present > 0 && s.baseline.present > 0 && (up && s.up || !up && s.down) {
			shared = append(shared, s.path)
		}
	}
	if len(shared) == 0 {
		return
	}
	p.path = shared[0]
	p.ask(aspect, family, pValue, information, up, scores, effect)
	p.tests[len(p.tests)-1].shared = shared
}

// eachInTime visits the baseline's requests of all strata with the mean of a
// value per call and the stretch of time that the request belongs to: the
// moments of a service are the same for all who call it.
func (p *pool) eachInTime(value func(*call) int64, visit func(block uint8, stratum int, mean float64)) {
	type observation struct {
		start   int64
		stratum int
		mean    float64
	}
	var all []observation
	for i := range p.strata {
		p.strata[i].baseline.eachRequest(value, func(request int32, mean float64) {
			all = append(all, observation{p.comparison.baseline.requests[request].start, i, mean})
		})
	}
	slices.SortStableFunc(all, func(a, b observation) int { return cmp.Compare(a.start, b.start) })
	count := blockCount(len(all))
	for i, o := range all {
		visit(uint8(i*count/len(all)), o.stratum, o.mean)
	}
}

// share gives a finding about an operation to all paths that it holds for and
// that have none of their own.
func share(found []hypothesis) []hypothesis {
	type place struct {
		path   trace.PathID
		aspect Aspect
	}
	held := map[place]bool{}
	for i := range found {
		if found[i].shared == nil {
			held[place{found[i].path, found[i].aspect}] = true
		}
	}
	var all []hypothesis
	for _, t := range found {
		paths := t.shared
		if paths == nil {
			all = append(all, t)
		}
		for _, path := range paths {
			if !held[place{path, t.aspect}] {
				t.path = path
				all = append(all, t)
			}
		}
	}
	return all
}
