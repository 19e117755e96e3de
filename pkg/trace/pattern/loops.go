package pattern

import (
	"math"
	"regexp"
	"strings"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// Loops: one statement or call per item of an earlier result, which one
// statement for all would answer. The rule is Sentry's N+1 detector's, with
// the differences that statements are compared by their normal form, that
// calls which do no work of their own (connect, ping, BEGIN) do not interrupt
// a loop, and that helpers between the loop and its calls are seen through.

// fanOut is how many calls of one kind at the same time are a loop too: one per
// item of a list that was read before, all started at once.
const fanOut = 10

// recordLoops notes calls of one path that a scope makes again and again.
func (n *collector) recordLoops(s *traceView, made *scope, covered map[trace.PathID]bool, o *Options) {
	for _, group := range s.byPath(made, query, remote) {
		path, role := s.paths[group[0]], s.calls[group[0]].role
		if covered[path] || len(group) < o.MinRepeats || s.sameValues(group) {
			continue
		}
		chain := s.sequential(group)
		if s.fansOut(group) || role == remote && s.bursts(group) {
			chain = group
		}
		if len(chain) < o.MinRepeats || !s.matters(made, chain, o) {
			continue
		}
		kind := NPlusOne
		if role == remote {
			kind = NPlusOneRPC
			if s.turnsPages(chain) {
				kind = PagedRead
			}
		}
		total, longest := s.heldByAll(chain)
		n.record(place{kind: kind, caller: s.paths[made.node], call: path}, occurrence{
			request: s.request, repeats: len(chain), time: s.time(chain), saved: total - longest,
			sure: s.readBefore(chain[0]) || s.bursts(chain),
		})
	}
}

// fansOut says that a service reads something and then makes many calls of one
// kind to one callee, at least two of them at the same time. Calls to several
// callees are how shards are asked.
func (s *traceView) fansOut(calls []int32) bool {
	if len(calls) < fanOut || !s.readBefore(calls[0]) {
		return false
	}
	overlaps := false
	for i, index := range calls {
		if s.calls[index].target != s.calls[calls[0]].target {
			return false
		}
		overlaps = overlaps || i > 0 && s.node(index).Start < s.node(calls[i-1]).End()
	}
	return overlaps
}

// byPath groups the successful calls of a scope, of the given roles, by path,
// in the order of their first calls.
func (s *traceView) byPath(made *scope, roles ...role) [][]int32 {
	var groups [][]int32
	place := map[trace.PathID]int{}
	for _, index := range made.calls {
		c := &s.calls[index]
		if s.node(index).Failed || c.batch || c.cut || c.role != roles[0] && c.role != roles[len(roles)-1] {
			continue
		}
		at, exists := place[s.paths[index]]
		if !exists {
			at = len(groups)
			place[s.paths[index]] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], index)
	}
	return groups
}

// sameValues says that all calls are known to ask the very same: that is a
// duplicate and no loop.
func (s *traceView) sameValues(calls []int32) bool {
	first := &s.calls[calls[0]]
	for _, index := range calls {
		if c := &s.calls[index]; c.raw == "" || c.raw != first.raw || !c.read {
			return false
		}
	}
	return true
}

// matters says that the calls take long, or a large part of their caller.
func (s *traceView) matters(made *scope, calls []int32, o *Options) bool {
	time := s.time(calls)
	return time >= int64(o.MinTime) || float64(time) >= o.MinPart*float64(s.node(made.node).Duration)
}

// readBefore says that the service of a call had read something else before:
// what it loops over.
func (s *traceView) readBefore(index int32) bool {
	node := s.node(index)
	first := s.reads[s.tree.Trace.Spans[node.Span].Service]
	end := first.end
	if first.path == s.paths[index] {
		end = first.otherEnd
	}
	return end != 0 && end <= node.Start+tolerance(node.Duration)
}

var pageParameter = regexp.MustCompile(`(?i)[?&](page|page_?token|offset|cursor|after|before|start|skip|limit|continuation\w*|next\w*)=[^&]*`)

// turnsPages says that calls differ in the position within one result only.
func (s *traceView) turnsPages(calls []int32) bool {
	bare := ""
	for i, index := range calls {
		raw := s.calls[index].address
		if !strings.Contains(raw, "?") || i > 0 && !pageParameter.MatchString(raw) {
			return false
		}
		without := strings.TrimRight(pageParameter.ReplaceAllString(raw, ""), "?&")
		if i > 0 && without != bare {
			return false
		}
		bare = without
	}
	return true
}

// isLoop says whether the occurrences are one call per item, and not a fixed
// set of calls: a read came before them, or their number varies.
func isLoop(seen []occurrence) bool {
	sure, sum, squares := 0, 0.0, 0.0
	for _, o := range seen {
		if o.sure {
			sure++
		}
		sum += float64(o.repeats)
		squares += float64(o.repeats) * float64(o.repeats)
	}
	count := float64(len(seen))
	mean := sum / count
	deviation := math.Sqrt(max(0, squares/count-mean*mean))
	return 2*sure >= len(seen) || deviation > 0.2*mean
}
