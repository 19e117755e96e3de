package pattern

import (
	"math"
	"slices"
	"sort"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// traceView is one trace, laid out for the detectors.
type traceView struct {
	request  int32
	tree     *trace.Tree
	paths    []trace.PathID
	calls    []call
	sections []trace.Section
	// held sums the time on the critical path: nodes i to j held up the request
	// for held[j]-held[i].
	held []int64
	// writes are the instants at which tables were written to, ascending.
	writes map[string][]int64
	// reads are the earliest ends of reads by service.
	reads  map[string]earliest
	scopes []scope
	cache  *classifierCache
	batch  bool // a job that works through many items, not a request
	// graph says that the request is a query of a graph, whose server decides
	// what to ask for; browser that it began in one.
	graph, browser bool
	numbers        *trace.Paths
}

// earliest is the read of a service that ended first, and the first of another
// path.
type earliest struct {
	path, otherPath trace.PathID
	end, otherEnd   int64
}

// add takes a read into account.
func (e earliest) add(path trace.PathID, end int64) earliest {
	switch {
	case path == e.path:
		e.end = min(e.end, end)
	case end < e.end:
		e = earliest{path, e.path, end, e.end}
	case end < e.otherEnd:
		e.otherPath, e.otherEnd = path, end
	}
	return e
}

// heldBy is how long a node with all below it held up the request.
func (s *traceView) heldBy(node int32) int64 {
	return s.held[s.tree.Nodes[node].Last] - s.held[node]
}

// heldDuring is how long a scope with all below it held up the request from
// one instant to another.
func (s *traceView) heldDuring(node int32, from, to int64) (held int64) {
	last := s.tree.Nodes[node].Last
	first := sort.Search(len(s.sections), func(i int) bool { return s.sections[i].End > from })
	for _, section := range s.sections[first:] {
		if section.Start >= to {
			break
		}
		if section.Node >= node && section.Node < last {
			held += min(section.End, to) - max(section.Start, from)
		}
	}
	return held
}

func (s *traceView) node(index int32) *trace.Node { return &s.tree.Nodes[index] }

// sequential is the longest run through calls, in the order of their starts,
// of which none begins before the one before it has ended, give or take the
// inaccuracy of clocks.
func (s *traceView) sequential(calls []int32) []int32 {
	var chain []int32
	for _, index := range calls {
		node := s.node(index)
		if len(chain) > 0 {
			last := s.node(chain[len(chain)-1])
			if node.Start < last.End()-tolerance(last.Duration) {
				continue
			}
		}
		chain = append(chain, index)
	}
	return chain
}

func tolerance(duration int64) int64 { return min(duration/20, 100_000) }

// time sums the durations of calls.
func (s *traceView) time(calls []int32) (total int64) {
	for _, index := range calls {
		total += s.node(index).Duration
	}
	return total
}

// heldByAll is how long the calls held up the request, and the longest of them.
func (s *traceView) heldByAll(calls []int32) (total, longest int64) {
	for _, index := range calls {
		held := s.heldBy(index)
		total += held
		longest = max(longest, held)
	}
	return total, longest
}

// viewBuilder lays out traces one after the other in the same memory.
type viewBuilder struct {
	builder   trace.Builder
	walk      trace.CriticalWalk
	numbers   *trace.Paths
	cache     classifierCache
	traceView traceView
}

// set lays out one trace; the traceView is valid until the next call.
func (g *viewBuilder) set(t *trace.Trace, request int32) *traceView {
	s := &g.traceView
	s.request, s.tree, s.cache = request, g.builder.Build(t), &g.cache
	s.paths = g.numbers.Assign(s.tree, s.paths[:0])
	s.sections = g.walk.Sections(s.tree)
	nodes := s.tree.Nodes
	s.held = append(s.held[:0], make([]int64, len(nodes)+1)...)
	for _, section := range s.sections {
		s.held[section.Node+1] += section.End - section.Start
	}
	for i := range nodes {
		s.held[i+1] += s.held[i]
	}
	s.calls = s.calls[:0]
	s.writes, s.reads = map[string][]int64{}, map[string]earliest{}
	for i := range nodes {
		c := g.cache.readCall(t, &nodes[i], s.paths[i])
		if c.role != local && (s.tree.IsCarried(int32(i)) || s.tree.IsWrapper(int32(i))) {
			c = call{} // counted elsewhere
		}
		s.calls = append(s.calls, c)
		if c.role == query && !c.read && c.table != "" {
			s.writes[c.table] = append(s.writes[c.table], nodes[i].Start)
		}
		if c.read && c.role != cacheGet {
			service := t.Spans[nodes[i].Span].Service
			held, exists := s.reads[service]
			if !exists {
				held = earliest{trace.None, trace.None, math.MaxInt64, math.MaxInt64}
			}
			s.reads[service] = held.add(s.paths[i], nodes[i].End())
		}
	}
	for _, instants := range s.writes {
		slices.Sort(instants)
	}
	s.batch, s.graph, s.browser = isBatch(t, &nodes[0]), isGraph(t, &nodes[0]), isBrowser(t, &nodes[0])
	s.numbers = g.numbers
	s.findScopes()
	return s
}
