package pattern

import (
	"cmp"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// maxLevels is how many local calls may lie between a loop and the calls that
// it makes: object mappers and helpers.
const maxLevels = 3

// scope is a node of a service with the calls it makes, directly or through at
// most maxLevels local calls, in the order of their starts. A call belongs to
// one scope only.
type scope struct {
	node  int32
	calls []int32
}

// findScopes assigns every call to the scope that makes it. Calls climb over
// local nodes of the same service, up to maxLevels, where the node makes one
// call only (a helper) or is the body of a loop.
func (s *traceView) findScopes() {
	type climber struct{ node, levels int32 }
	bodies := s.loopBodies()
	nodes := s.tree.Nodes
	s.scopes = s.scopes[:0]
	waiting := map[int32][]climber{}
	// From the last node to the first, calls come before their callers.
	for i := int32(len(nodes)) - 1; i >= 0; i-- {
		climbers, parent := waiting[i], nodes[i].Parent
		delete(waiting, i)
		made, climbs := scope{node: i}, s.isHelper(i) && (len(climbers) == 1 || bodies[i])
		for _, c := range climbers {
			if climbs && c.levels < maxLevels {
				waiting[parent] = append(waiting[parent], climber{c.node, c.levels + 1})
			} else {
				made.calls = append(made.calls, c.node)
			}
		}
		if len(made.calls) > 0 {
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
func (s *traceView) isHelper(index int32) bool {
	node := s.node(index)
	return s.calls[index].role == local && node.Parent != trace.None && !node.Apart && s.sameService(index, node.Parent)
}

// twin is sisters on the same path.
type twin struct {
	parent int32
	path   trace.PathID
}

// loopBodies are the local nodes that have sisters like themselves, and those
// within them.
func (s *traceView) loopBodies() []bool {
	counts := map[twin]int{}
	for i := range s.tree.Nodes {
		if s.calls[i].role == local {
			counts[twin{s.tree.Nodes[i].Parent, s.paths[i]}]++
		}
	}
	bodies := make([]bool, len(s.tree.Nodes))
	for i := range s.tree.Nodes { // callers come before what they call
		if index := int32(i); s.isHelper(index) {
			parent := s.tree.Nodes[i].Parent
			bodies[i] = counts[twin{parent, s.paths[i]}] > 1 || bodies[parent]
		}
	}
	return bodies
}

// sameService says whether a local node runs in its caller's service.
func (s *traceView) sameService(node, caller int32) bool {
	return s.tree.Nodes[node].Span != trace.None && s.tree.Nodes[caller].Span != trace.None &&
		s.service(node) == s.service(caller)
}

// service is the service in which a node's own calls are made: the server's
// where merged.
func (s *traceView) service(node int32) string {
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
