package pattern

import (
	"github.com/foresight-observability/foresight/pkg/trace"
)

const (
	minChatter      = 10  // calls between two services in one trace
	minWay          = 0.2 // part of them that is spent on the way
	minCacheChatter = 20
)

// recordChatter notes pairs of services between which one trace goes back and
// forth many times, where the way costs; and scopes that send many commands to
// a cache, one after the other.
func (n *collector) recordChatter(s *traceView) {
	type edge struct{ from, to string }
	met := map[edge][]int32{}
	var order []edge
	for i := range s.calls {
		node := s.node(int32(i))
		if s.calls[i].role != remote || node.Server == trace.None || node.Parent == trace.None || node.Apart {
			continue
		}
		spans := s.tree.Trace.Spans
		e := edge{spans[node.Span].Service, spans[node.Server].Service}
		if met[e] == nil {
			order = append(order, e)
		}
		met[e] = append(met[e], int32(i))
	}
	for _, e := range order {
		calls := met[e]
		if len(calls) < minChatter {
			continue
		}
		way := int64(0)
		for _, index := range calls {
			way += s.node(index).Gap
		}
		if float64(way) < minWay*float64(s.time(calls)) {
			continue
		}
		held := s.waysHeld(calls)
		n.record(place{kind: Chatty, caller: s.paths[s.node(calls[0]).Parent], call: s.paths[calls[0]]}, occurrence{
			request: s.request, repeats: len(calls), time: s.time(calls),
			saved: held - held/int64(len(calls)), sure: true, // one way remains
		})
	}
	for i := range s.scopes {
		n.recordCacheChatter(s, &s.scopes[i])
	}
}

// waysHeld is how long the ways to and back of calls held up the request.
func (s *traceView) waysHeld(calls []int32) (held int64) {
	among := make(map[int32]bool, len(calls))
	for _, index := range calls {
		among[index] = true
	}
	for _, section := range s.sections {
		if section.Gap && among[section.Node] {
			held += section.End - section.Start
		}
	}
	return held
}

func (n *collector) recordCacheChatter(s *traceView, made *scope) {
	if s.batch {
		return
	}
	var commands []int32
	for _, index := range made.calls {
		if role := s.calls[index].role; role == cacheGet || role == cacheSet {
			commands = append(commands, index)
		}
	}
	commands = s.sequential(commands)
	if len(commands) < minCacheChatter {
		return
	}
	total, longest := s.heldByAll(commands)
	n.record(place{kind: ChattyCache, caller: s.paths[made.node], call: s.paths[commands[0]]}, occurrence{
		request: s.request, repeats: len(commands), time: s.time(commands), saved: total - longest, sure: true,
	})
}
