package trace

import (
	"bytes"
	"cmp"
	"slices"
)

// treeLinks connects the spans of one trace: who is whose parent, after duplicates
// are dropped and cycles are cut. Its slices are indexed by span.
type treeLinks struct {
	byID   map[SpanID]int32
	twin   []int32 // the next span that shares this one's id: the server's that a client's call reached (Zipkin); None for none
	parent []int32 // the parent's span; None for a top, dropped for a duplicate
	first  []int32 // children of i are child[first[i]:first[i+1]], but see children
	child  []int32
	tops   []int32 // spans without parent, the best root first

	repeated []int32 // spans whose id was seen before
	marks    []int32
	stack    []int32
}

// dropped marks a span that is not part of the tree.
const dropped = int32(-2)

func (l *treeLinks) connect(t *Trace, spans []Span, repairs *Repairs) {
	l.index(spans, repairs)
	l.findParents(t, spans, repairs)
	l.listChildren(len(spans))
	l.cutCycles(spans, repairs)
	slices.SortFunc(l.tops, func(a, b int32) int { return compareTops(&spans[a], &spans[b]) })
}

// index finds the span of every id.
func (l *treeLinks) index(spans []Span, repairs *Repairs) {
	if l.byID == nil {
		l.byID = make(map[SpanID]int32, len(spans))
	}
	clear(l.byID)
	l.twin = resize(l.twin, len(spans), None)
	l.parent = resize(l.parent, len(spans), None)
	l.repeated = l.repeated[:0]
	for i := range spans {
		if _, exists := l.byID[spans[i].ID]; exists {
			l.repeated = append(l.repeated, int32(i))
		} else {
			l.byID[spans[i].ID] = int32(i)
		}
	}
	if len(l.repeated) > 0 {
		l.resolveDuplicates(spans, repairs)
	}
}

// resolveDuplicates keeps one span of each id, or the ends of a call that share
// an id where Zipkin's libraries made them: a client and the servers that it
// reached, one for each receiver of a message.
func (l *treeLinks) resolveDuplicates(spans []Span, repairs *Repairs) {
	for _, index := range l.repeated {
		if held := l.byID[spans[index].ID]; l.twin[held] == None {
			l.twin[held] = dropped // the first of the group joins it once
		}
	}
	for i := range l.twin {
		if l.twin[i] == dropped {
			l.twin[i] = None
			l.repeated = append(l.repeated, int32(i))
		}
	}
	slices.SortFunc(l.repeated, func(a, b int32) int {
		return cmp.Or(bytes.Compare(spans[a].ID[:], spans[b].ID[:]), compareDuplicates(&spans[a], &spans[b]))
	})
	for start := 0; start < len(l.repeated); {
		end := start
		for end < len(l.repeated) && spans[l.repeated[end]].ID == spans[l.repeated[start]].ID {
			end++
		}
		l.resolveGroup(spans, l.repeated[start:end], repairs)
		start = end
	}
}

// resolveGroup keeps of the spans with one id the best sender, and every
// receiver once.
func (l *treeLinks) resolveGroup(spans []Span, group []int32, repairs *Repairs) {
	sender := slices.IndexFunc(group, func(i int32) bool { return spans[i].Kind == Client || spans[i].Kind == Producer })
	var kept []int32
	if sender >= 0 {
		kept = append(kept, group[sender])
	}
	for _, index := range group {
		if isReceiver(&spans[index]) && !slices.ContainsFunc(kept, func(other int32) bool { return isReceiver(&spans[other]) && sameReceipt(&spans[other], &spans[index]) }) {
			kept = append(kept, index)
		}
	}
	if len(kept) == 0 {
		kept = group[:1]
	}
	for _, index := range group {
		if !slices.Contains(kept, index) {
			l.parent[index] = dropped
			repairs.Duplicates++
		}
	}
	l.byID[spans[kept[0]].ID] = kept[0]
	for i, index := range kept {
		if i > 0 {
			l.twin[kept[i-1]] = index
		}
		if i > 0 && sender >= 0 {
			l.parent[index] = kept[0]
		}
	}
}

func isReceiver(span *Span) bool { return span.Kind == Server || span.Kind == Consumer }

// sameReceipt says that two spans are one, stored twice: a span that was stored
// before it ended has the same start.
func sameReceipt(a, b *Span) bool {
	return a.Service == b.Service && a.Start == b.Start && a.Kind == b.Kind
}

// owner is whom of the spans that share an id a child belongs to: one of its
// own service, of several the one that ran when the child began.
func (l *treeLinks) owner(spans []Span, first int32, child *Span) int32 {
	best := None
	for at := first; at != None; at = l.twin[at] {
		span := &spans[at]
		if span.Service != child.Service {
			continue
		}
		later := best == None || isReceiver(span) && !isReceiver(&spans[best]) || span.Start > spans[best].Start
		if best == None || later && (span.Start <= child.Start || spans[best].Start > child.Start) {
			best = at
		}
	}
	if best != None {
		return best
	}
	if server := l.twin[first]; server != None && isReceiver(&spans[server]) {
		return server
	}
	return first
}

// compareDuplicates puts the span to keep first: the longer one, because a
// span stored before it ended is shorter.
func compareDuplicates(a, b *Span) int {
	return cmp.Or(
		cmp.Compare(b.Duration, a.Duration),
		cmp.Compare(a.Start, b.Start),
		cmp.Compare(a.Service, b.Service),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Kind, b.Kind),
		bytes.Compare(a.ParentID[:], b.ParentID[:]),
		compareBool(b.Failed, a.Failed),
		cmp.Compare(a.Version, b.Version),
	)
}

func (l *treeLinks) findParents(t *Trace, spans []Span, repairs *Repairs) {
	l.tops = l.tops[:0]
	for i := range spans {
		index, span := int32(i), &spans[i]
		if l.parent[index] != None {
			continue // dropped, or the server of a shared id
		}
		if span.ParentID == (SpanID{}) {
			if l.parent[index] = l.linked(t, span, index); l.parent[index] == None {
				l.tops = append(l.tops, index)
			}
			continue
		}
		parent, exists := l.byID[span.ParentID]
		if !exists {
			repairs.Orphans++
			l.tops = append(l.tops, index)
			continue
		}
		if l.twin[parent] != None {
			parent = l.owner(spans, parent, span)
		}
		l.parent[index] = parent
	}
}

// linked is the span of the same trace that a span without a parent is linked
// to: it works on what that one sent. None for none.
func (l *treeLinks) linked(t *Trace, span *Span, index int32) int32 {
	for _, link := range span.Links {
		if at, exists := l.byID[link.Span]; exists && link.Trace == t.ID && at != index {
			return at
		}
	}
	return None
}

// listChildren lays the children of every span side by side.
func (l *treeLinks) listChildren(count int) {
	l.first = resize(l.first, count+1, 0)
	for _, parent := range l.parent {
		if parent >= 0 {
			l.first[parent+1]++
		}
	}
	for i := range count {
		l.first[i+1] += l.first[i]
	}
	l.marks = append(l.marks[:0], l.first...)
	l.child = resize(l.child, int(l.first[count]), None)
	for i, parent := range l.parent {
		if parent >= 0 {
			l.child[l.marks[parent]] = int32(i)
			l.marks[parent]++
		}
	}
}

// children are a span's children. A child whose link was cut to break a circle
// still stands in the list: its parent is not the span.
func (l *treeLinks) children(span int32) []int32 {
	return l.child[l.first[span]:l.first[span+1]]
}

// cutCycles makes tops of the earliest span of every circle of parents, so
// that every span is below a top.
func (l *treeLinks) cutCycles(spans []Span, repairs *Repairs) {
	l.marks = resize(l.marks, len(spans), None)
	reached := 0
	for _, top := range l.tops {
		reached += l.reach(top)
	}
	if reached == len(spans)-repairs.Duplicates {
		return
	}
	for i := range spans {
		if l.marks[i] != None || l.parent[i] == dropped {
			continue
		}
		// Upwards from an unreached span there is a circle: follow the parents
		// until a span comes twice.
		at := int32(i)
		for l.marks[at] == None {
			l.marks[at] = walked
			at = l.parent[at]
		}
		earliest := at
		for next := l.parent[at]; next != at; next = l.parent[next] {
			if compareTops(&spans[next], &spans[earliest]) < 0 {
				earliest = next
			}
		}
		repairs.Cycles++
		l.parent[earliest] = None
		l.tops = append(l.tops, earliest)
		l.reach(earliest)
	}
}

// Marks of cutCycles.
const (
	walked = int32(1) // on the way up to a circle
	below  = int32(2) // below a top
)

// reach marks all that is below a span, itself included, and counts it.
func (l *treeLinks) reach(top int32) (count int) {
	l.stack = append(l.stack[:0], top)
	for len(l.stack) > 0 {
		at := l.stack[len(l.stack)-1]
		l.stack = l.stack[:len(l.stack)-1]
		l.marks[at] = below
		count++
		for _, child := range l.children(at) {
			if l.parent[child] == at {
				l.stack = append(l.stack, child)
			}
		}
	}
	return count
}

// compareTops puts the span that serves best as the root first: one without a
// parent's id before those whose parent is missing, then the earliest, the
// longest.
func compareTops(a, b *Span) int {
	return cmp.Or(
		compareBool(a.ParentID != SpanID{}, b.ParentID != SpanID{}),
		cmp.Compare(a.Start, b.Start),
		cmp.Compare(b.Duration, a.Duration),
		bytes.Compare(a.ID[:], b.ID[:]),
		cmp.Compare(a.Kind, b.Kind),
		compareDuplicates(a, b), // several receivers of one id
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// resize is a slice of the given length with every element set, in the memory
// of the old one where it suffices.
func resize[T any](old []T, length int, value T) []T {
	if cap(old) < length {
		old = make([]T, length)
	}
	old = old[:length]
	for i := range old {
		old[i] = value
	}
	return old
}
