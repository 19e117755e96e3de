package pattern

import (
	"cmp"
	"regexp"
	"slices"
	"sort"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// maxLevels is how many local calls may lie between a loop and the calls that
// it makes: object mappers and helpers.
const maxLevels = 3

// scene is one trace, laid out for the detectors.
type scene struct {
	request  int32
	tree     *trace.Tree
	paths    []trace.PathID
	calls    []call
	sections []trace.Section
	// held sums the time on the critical path: nodes i to j held up the request
	// for held[j]-held[i].
	held []int64
	// writes are the instants at which tables were written to.
	writes map[string][]int64
	scopes []scope
	memory *memory
	batch  bool // a job that works through many items, not a request
}

// scope is a node of a service with the calls it makes, directly or through at
// most maxLevels local calls, in the order of their starts. A call belongs to
// one scope only.
type scope struct {
	node  int32
	calls []int32
}

// heldBy is how long a node with all below it held up the request.
func (s *scene) heldBy(node int32) int64 {
	return s.held[s.tree.Nodes[node].Last] - s.held[node]
}

// heldDuring is how long a scope with all below it held up the request from
// one instant to another.
func (s *scene) heldDuring(node int32, from, to int64) (held int64) {
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

func (s *scene) node(index int32) *trace.Node { return &s.tree.Nodes[index] }

// sequential is the longest run through calls, in the order of their starts,
// of which none begins before the one before it has ended, give or take the
// inaccuracy of clocks.
func (s *scene) sequential(calls []int32) []int32 {
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
func (s *scene) time(calls []int32) (total int64) {
	for _, index := range calls {
		total += s.node(index).Duration
	}
	return total
}

// heldByAll is how long the calls held up the request, and the longest of them.
func (s *scene) heldByAll(calls []int32) (total, longest int64) {
	for _, index := range calls {
		held := s.heldBy(index)
		total += held
		longest = max(longest, held)
	}
	return total, longest
}

// stage lays out traces one after the other in the same memory.
type stage struct {
	builder trace.Builder
	walk    trace.CriticalWalk
	numbers *trace.Paths
	memory  memory
	scene   scene
}

// set lays out one trace; the scene is valid until the next call.
func (g *stage) set(t *trace.Trace, request int32) *scene {
	s := &g.scene
	s.request, s.tree, s.memory = request, g.builder.Build(t), &g.memory
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
	s.writes = map[string][]int64{}
	for i := range nodes {
		c := g.memory.readCall(t, &nodes[i], s.paths[i])
		s.calls = append(s.calls, c)
		if c.role == query && !c.read && c.table != "" {
			s.writes[c.table] = append(s.writes[c.table], nodes[i].Start)
		}
	}
	s.batch = isBatch(t, &nodes[0])
	s.findScopes()
	return s
}

var batchName = regexp.MustCompile(`(?i)\b(job|cron|batch|import|export|migrat\w*|re?-?index\w*|etl|backfill|sync|schedule\w*|report|nightly|cleanup|worker)\b`)

// isBatch tells jobs, which work through many items by design.
func isBatch(t *trace.Trace, root *trace.Node) bool {
	if root.Span == trace.None {
		return false
	}
	span := &t.Spans[root.Span]
	return span.Kind != trace.Server && span.Kind != trace.Client && span.Kind != trace.Consumer && batchName.MatchString(span.Name)
}

// findScopes assigns every call to the scope that makes it. Calls climb over
// local nodes of the same service, up to maxLevels, where the node makes one
// call only (a helper) or has sisters like itself (the body of a loop).
func (s *scene) findScopes() {
	type climber struct{ node, levels int32 }
	nodes := s.tree.Nodes
	s.scopes = s.scopes[:0]
	waiting := map[int32][]climber{}
	// From the last node to the first, calls come before their callers.
	for i := int32(len(nodes)) - 1; i >= 0; i-- {
		climbers, parent := waiting[i], nodes[i].Parent
		delete(waiting, i)
		if s.isHelper(i) && (len(climbers) == 1 || s.hasTwin(i)) {
			for _, c := range climbers {
				if c.levels < maxLevels {
					waiting[parent] = append(waiting[parent], climber{c.node, c.levels + 1})
				}
			}
		} else if len(climbers) > 0 {
			made := scope{node: i}
			for _, c := range climbers {
				made.calls = append(made.calls, c.node)
			}
			slices.SortFunc(made.calls, func(a, b int32) int {
				return cmp.Or(cmp.Compare(nodes[a].Start, nodes[b].Start), cmp.Compare(a, b))
			})
			s.scopes = append(s.scopes, made)
		}
		if s.calls[i].role != local && parent != trace.None {
			waiting[parent] = append(waiting[parent], climber{node: i})
		}
	}
	slices.Reverse(s.scopes)
}

// isHelper says that a node is local work below other work of its service.
func (s *scene) isHelper(index int32) bool {
	node := s.node(index)
	return s.calls[index].role == local && node.Parent != trace.None && !node.Apart && s.sameService(index, node.Parent)
}

// hasTwin says that a node has a sister on the same path.
func (s *scene) hasTwin(index int32) bool {
	parent := s.node(index).Parent
	for sister := parent + 1; sister < s.node(parent).Last; sister = s.node(sister).Last {
		if sister != index && s.paths[sister] == s.paths[index] {
			return true
		}
	}
	return false
}

// sameService says whether a local node runs in its caller's service.
func (s *scene) sameService(node, caller int32) bool {
	return s.tree.Nodes[node].Span != trace.None && s.tree.Nodes[caller].Span != trace.None &&
		s.service(node) == s.service(caller)
}

// service is the service in which a node's own calls are made: the server's
// where merged.
func (s *scene) service(node int32) string {
	n := s.node(node)
	if n.Span == trace.None {
		return ""
	}
	span := n.Span
	if n.Server != trace.None {
		span = n.Server
	}
	return s.tree.Trace.Spans[span].Service
}
