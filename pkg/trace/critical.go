package trace

import (
	"cmp"
	"slices"
	"sort"
)

// Section is a stretch of time in which one call held up the whole request.
// Times are nanoseconds since the Unix epoch.
type Section struct {
	Node       int32
	Start, End int64
	// Gap says that neither client nor server was at work: see Node.Gap.
	Gap bool
}

// CriticalWalk finds critical paths one after the other in the same memory.
// The zero value is ready.
type CriticalWalk struct {
	sections     []Section
	stack        []Section // calls with the part of them that is on the path
	byEnd        []interval
	starts, ends []int64
}

// interval is a call, clipped to its caller.
type interval struct {
	node       int32
	start, end int64
}

// Sections is the critical path: the sections that held up the request, in the
// order of time; they are disjoint and their durations sum to the root's. It is
// valid until the next call.
//
// It follows CRISP (Zhang et al., USENIX ATC 2022, section 3.1): from the end
// of a call backwards to the child that finished last, from that child's start
// to the last one finished before it, and so on; a child that overlaps the
// next by less than 1 % of the caller's duration, with nothing else happening
// in between, still came before it.
func (w *CriticalWalk) Sections(t *Tree) []Section {
	w.sections, w.stack = w.sections[:0], w.stack[:0]
	if len(t.Nodes) == 0 {
		return nil
	}
	w.stack = append(w.stack, Section{Node: 0, Start: t.Nodes[0].Start, End: t.Nodes[0].End()})
	for len(w.stack) > 0 {
		next := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		w.enter(t, next)
	}
	slices.SortFunc(w.sections, func(a, b Section) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Node, b.Node))
	})
	return w.sections
}

// enter splits a call's part of the path into its own sections and its
// children's parts.
func (w *CriticalWalk) enter(t *Tree, part Section) {
	node := &t.Nodes[part.Node]
	innerStart := min(max(node.InnerStart, part.Start), part.End)
	innerEnd := max(min(node.InnerStart+node.InnerDuration, part.End), innerStart)
	w.add(Section{Node: part.Node, Start: innerEnd, End: part.End, Gap: true})
	w.add(Section{Node: part.Node, Start: part.Start, End: innerStart, Gap: true})

	w.listChildren(t, part.Node, innerStart, innerEnd)
	cursor := innerEnd
	last := interval{start: innerEnd, end: innerEnd}
	found := false
	for _, child := range w.byEnd {
		if found && !w.happensBefore(child, last, node.InnerDuration) {
			continue
		}
		end := min(child.end, cursor)
		if end <= child.start && child.end > child.start {
			continue
		}
		w.add(Section{Node: part.Node, Start: end, End: cursor})
		w.stack = append(w.stack, Section{Node: child.node, Start: child.start, End: end})
		cursor, last, found = child.start, child, true
	}
	w.add(Section{Node: part.Node, Start: innerStart, End: cursor})
}

func (w *CriticalWalk) add(section Section) {
	if section.End > section.Start {
		w.sections = append(w.sections, section)
	}
}

// listChildren lists the calls that the node waited for in the given part of
// its time, the last finished first, and the instants at which they started
// and ended.
func (w *CriticalWalk) listChildren(t *Tree, index int32, start, end int64) {
	w.byEnd, w.starts, w.ends = w.byEnd[:0], w.starts[:0], w.ends[:0]
	nodes := t.Nodes
	for child := index + 1; child < nodes[index].Last; child = nodes[child].Last {
		call := &nodes[child]
		if call.Apart && !nodes[index].Apart || call.Start >= end || call.End() <= start {
			continue
		}
		w.byEnd = append(w.byEnd, interval{child, max(call.Start, start), min(call.End(), end)})
	}
	if len(w.byEnd) < 2 {
		return
	}
	for _, child := range w.byEnd {
		w.starts = append(w.starts, child.start) // ascending: sisters stand in this order
		w.ends = append(w.ends, child.end)
	}
	slices.Sort(w.ends)
	slices.Reverse(w.byEnd) // calls one after the other are in order now
	slices.SortFunc(w.byEnd, func(a, b interval) int {
		return cmp.Or(cmp.Compare(b.end, a.end), cmp.Compare(b.start, a.start), cmp.Compare(a.node, b.node))
	})
}

// happensBefore says whether a call was over when the next one began, give or
// take the inaccuracy of timestamps.
func (w *CriticalWalk) happensBefore(call, next interval, callerDuration int64) bool {
	if call.end <= next.start {
		return true
	}
	overlap := call.end - next.start
	if overlap*100 >= callerDuration || call.start >= next.start || call.end >= next.end {
		return false
	}
	return within(w.starts, next.start, call.end) == 1 && within(w.ends, next.start, call.end) == 1
}

// within counts the ascending instants from low to high, both included.
func within(instants []int64, low, high int64) int {
	from := sort.Search(len(instants), func(i int) bool { return instants[i] >= low })
	to := sort.Search(len(instants), func(i int) bool { return instants[i] > high })
	return to - from
}
