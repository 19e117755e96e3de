package diff

import (
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// comparison is the work of one Compare.
type comparison struct {
	options             Options
	paths               *trace.Paths
	baseline, candidate *population
	endpoints           []endpoint
	endpointOf          []int32 // of every path
	// rest is all endpoints with too few requests of their own, together; not
	// judged where they are too few even so.
	rest    endpoint
	results []Path // of every path
	effects []effects
	// originChange is by how much the share of requests with a failure that
	// began on the path changed; of every path.
	originChange []float64
	tests        []hypothesis // those found, after adjust
	suspects     []Suspect
	// ways are, by the key of a caller that is suspected for the ways to its callees,
	// the path of the callee with the strongest evidence.
	ways map[string]trace.PathID
}

// endpoint is all requests with one root path.
type endpoint struct {
	Endpoint
	root        trace.PathID
	judged      bool    // enough requests on both sides
	moments     float64 // see question
	minChange   float64
	equivalence equivalence
	doubt       *hypothesis // see doubt
	// slower and faster sum the contributions of paths to the change of the
	// mean, by direction; nanoseconds per request.
	slower, faster float64
}

// Compare says what differs in the candidate's requests from the baseline's,
// call path by call path. It never fails: what cannot be compared is told in
// the verdict and the notices. The answer does not depend on the order of the
// traces or of their spans.
//
// The request is the sampling unit. A change must be significant, after the
// evidence is discounted by how much the baseline varies from moment to moment
// (stats.Dispersion) and the false discovery rate is controlled across all
// paths, and large enough to matter (Options). Requests are only compared with
// those of the same endpoint.
func Compare(baseline, candidate []trace.Trace, options Options) Result {
	result, c := compare(baseline, candidate, options)
	if steady, ok := apartFromWarmUp(result, baseline, candidate, options); ok {
		return steady
	}
	if later, ok := c.sinceLater(result, baseline, candidate); ok {
		return later
	}
	return result
}

func compare(baseline, candidate []trace.Trace, options Options) (Result, *comparison) {
	c := &comparison{options: options.withDefaults(), paths: trace.NewPaths(options.Limits)}
	c.baseline = collect(baseline, c.paths, options.Limits)
	c.candidate = collect(candidate, c.paths, options.Limits)
	c.baseline.group(c.paths.Len())
	c.candidate.group(c.paths.Len())
	c.baseline.divide()
	c.findEndpoints()
	c.measurePaths()
	c.decompose()
	c.blame()
	c.findOnsets()
	c.explain()
	return c.result(), c
}

// findEndpoints counts the requests of every root path.
func (c *comparison) findEndpoints() {
	c.endpointOf = make([]int32, c.paths.Len())
	for id := range trace.PathID(c.paths.Len()) {
		path := c.paths.Path(id)
		if path.Root != id {
			c.endpointOf[id] = c.endpointOf[path.Root]
			continue
		}
		c.endpointOf[id] = int32(len(c.endpoints))
		c.endpoints = append(c.endpoints, endpoint{root: id, Endpoint: Endpoint{
			Key: path.Key(""), Service: path.Service, Operation: path.Operation,
		}})
	}
	before, now := make([]stretch, len(c.endpoints)), make([]stretch, len(c.endpoints))
	for i := range c.baseline.requests {
		before[c.endpointOf[c.baseline.requests[i].root]].add(&c.baseline.requests[i])
	}
	for i := range c.candidate.requests {
		now[c.endpointOf[c.candidate.requests[i].root]].add(&c.candidate.requests[i])
	}
	for i := range c.endpoints {
		e := &c.endpoints[i]
		e.Baseline, e.Candidate, e.moments = before[i].count, now[i].count, now[i].moments(&before[i])
		e.judged = min(e.Baseline, e.Candidate) >= c.options.MinTraces
	}
}

// measurePaths summarises every path on both sides, and tests those of
// endpoints with enough requests.
func (c *comparison) measurePaths() {
	c.results = make([]Path, c.paths.Len())
	c.effects = make([]effects, c.paths.Len())
	q := question{options: &c.options, baseline: &sample{}, candidate: &sample{}, blocks: c.baseline.blocks}
	c.originChange = make([]float64, c.paths.Len())
	var before, after callCounts
	for id := range trace.PathID(c.paths.Len()) {
		e := &c.endpoints[c.endpointOf[id]]
		path := c.paths.Path(id)
		q.path = id
		q.baseline.measure(c.baseline.of(id), e.Baseline)
		q.candidate.measure(c.candidate.of(id), e.Candidate)
		c.results[id] = c.describe(id, &q)
		c.effects[id] = effectsOf(q.baseline, q.candidate)
		c.originChange[id] = q.candidate.originRate() - q.baseline.originRate()
		if path.Parent == trace.None {
			c.describeEndpoint(e, &q)
		}
		if !e.judged {
			continue
		}
		q.minChange, q.moments = e.minChange, e.moments
		q.askTimings()
		q.askErrors()
		if path.Parent != trace.None {
			before.read(c.baseline, q.baseline.calls, c.baseline.of(path.Parent))
			after.read(c.candidate, q.candidate.calls, c.candidate.of(path.Parent))
			q.askCalls(c, &before, &after)
		}
	}
	c.askPooled(&q)
	c.pooledEquivalence()
	c.doubt(q.tests)
	c.tests = adjust(q.tests, c.options.FalseDiscoveryRate)
	for i := range c.tests {
		t := &c.tests[i]
		c.results[t.path].Findings = append(c.results[t.path].Findings, Finding{
			Aspect: t.aspect, Effect: t.effect.Estimate, Lower: t.effect.Lower, Upper: t.effect.Upper,
			PValue: t.pValue, Worse: t.worse,
		})
	}
}

// describe is what a path looks like on both sides.
func (c *comparison) describe(id trace.PathID, q *question) Path {
	path := c.paths.Path(id)
	described := Path{
		Depth: path.Depth, Endpoint: c.endpoints[c.endpointOf[id]].Key,
		Service: path.Service, Operation: path.Operation, Example: path.Example, Kind: path.Kind,
		Baseline: q.baseline.summary(), Candidate: q.candidate.summary(),
		BaselineExamples:  examples(c.baseline, q.baseline.calls, c.options.Examples),
		CandidateExamples: examples(c.candidate, q.candidate.calls, c.options.Examples),
	}
	described.ErrorTypes = c.errorTypesOf(q)
	if path.Parent != trace.None {
		described.Parent = c.results[path.Parent].Key
	}
	described.Key = path.Key(described.Parent)
	return described
}

func (c *comparison) describeEndpoint(e *endpoint, q *question) {
	root := &c.results[e.root]
	e.BaselineDuration, e.CandidateDuration = root.Baseline.Duration, root.Candidate.Duration
	e.MeanChange = e.CandidateDuration.Mean - e.BaselineDuration.Mean
	e.minChange = max(float64(c.options.MinChange), 0.01*e.BaselineDuration.P50)
	e.Change, e.ChangeLower, e.ChangeUpper = 1, 1, 1
	if len(q.baseline.durations) > 0 && len(q.candidate.durations) > 0 {
		change := ratio(q.baseline.durations, q.candidate.durations)
		e.Change, e.ChangeLower, e.ChangeUpper = change.Estimate, change.Lower, change.Upper
		e.equivalence = equivalenceOf(q.baseline.durations, q.candidate.durations, c.options.MinRatio, e.minChange)
		e.equivalence.excludeFailures(q.baseline.failures(), q.candidate.failures())
	}
}

// examples are the requests to look at: with a failed call first, then the
// slowest calls.
func examples(p *population, calls []call, count int) []trace.TraceID {
	better := func(a, b *call) bool {
		if a.failed != b.failed {
			return a.failed
		}
		if a.duration != b.duration {
			return a.duration > b.duration
		}
		return a.request < b.request
	}
	best := make([]*call, 0, count+1)
	for i := range calls {
		next := &calls[i]
		if len(best) == count && !better(next, best[count-1]) {
			continue
		}
		if same := slices.IndexFunc(best, func(held *call) bool { return held.request == next.request }); same >= 0 {
			if !better(next, best[same]) {
				continue
			}
			best = slices.Delete(best, same, same+1)
		}
		place := slices.IndexFunc(best, func(held *call) bool { return better(next, held) })
		if place < 0 {
			place = len(best)
		}
		best = slices.Insert(best, place, next)
		best = best[:min(len(best), count)]
	}
	ids := make([]trace.TraceID, len(best))
	for i, held := range best {
		ids[i] = p.requests[held.request].id
	}
	return ids
}
