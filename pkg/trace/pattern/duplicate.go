package pattern

import (
	"cmp"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

const (
	// minDuplicateTime is what the calls must take together.
	minDuplicateTime = int64(10 * time.Millisecond)
	// pollingGap is the pause, against the call's duration, that tells waiting
	// for a change from asking twice; minPollingGap is its least length.
	pollingGap    = 10
	minPollingGap = int64(50 * time.Millisecond)
)

// recordDuplicates notes reads that a service makes more than once in one trace
// with the very same values. A write to the same table in between, or pauses
// as of someone who waits for a change, are a reason to ask again.
func (n *collector) recordDuplicates(s *traceView) {
	type question struct{ service, target, raw string }
	queried := map[question][]int32{}
	var order []question
	for i := range s.calls {
		c, node := &s.calls[i], s.node(int32(i))
		if !c.read || c.raw == "" || node.Failed || node.Parent == trace.None {
			continue
		}
		q := question{s.tree.Trace.Spans[node.Span].Service, c.target, c.raw}
		if queried[q] == nil {
			order = append(order, q)
		}
		queried[q] = append(queried[q], int32(i))
	}
	for _, q := range order {
		calls := queried[q]
		if len(calls) < 2 {
			continue
		}
		slices.SortFunc(calls, func(a, b int32) int { return cmp.Compare(s.node(a).Start, s.node(b).Start) })
		for _, group := range s.splitByWrites(calls) {
			if len(group) < 2 || s.time(group) < minDuplicateTime || s.polls(group) {
				continue
			}
			held, _ := s.heldByAll(group[1:])
			n.record(place{kind: Duplicate, caller: s.paths[s.node(group[0]).Parent], call: s.paths[group[0]]}, occurrence{
				request: s.request, repeats: len(group), time: s.time(group), saved: held, sure: true,
			})
		}
	}
}

// splitByWrites parts calls, in the order of their starts, where their table
// was written to in between.
func (s *traceView) splitByWrites(calls []int32) [][]int32 {
	writes := s.writes[s.calls[calls[0]].table]
	groups := [][]int32{{calls[0]}}
	for i, index := range calls[1:] {
		before, now := s.node(calls[i]).Start, s.node(index).Start
		next, _ := slices.BinarySearch(writes, before)
		if next < len(writes) && writes[next] <= now {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], index)
	}
	return groups
}

// polls says that every call waits much longer than it takes before it is made
// again.
func (s *traceView) polls(calls []int32) bool {
	for i, index := range calls[1:] {
		before := s.node(calls[i])
		pause := s.node(index).Start - before.End()
		if pause < minPollingGap || pause < pollingGap*before.Duration {
			return false
		}
	}
	return len(calls) >= 3
}
