package trace

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"
)

// pendingNode is a call that waits to become a node.
type pendingNode struct {
	span   int32
	parent int32 // node
	shift  int64 // what to add to the span's clock
	start  int64 // shifted
}

// layOut lays out the nodes in depth-first order from the links.
func (b *Builder) layOut() {
	spans, tops := b.tree.Trace.Spans, b.links.tops
	b.pending = b.pending[:0]
	if len(tops) == 0 {
		return
	}
	for i := range spans {
		if clampTime(spans[i].Start) != spans[i].Start {
			b.tree.Repairs.Impossible++
		}
	}
	rooted := spans[tops[0]].ParentID == SpanID{} || len(tops) == 1
	if rooted {
		b.addNode(pendingNode{span: tops[0], parent: None, start: clampTime(spans[tops[0]].Start)})
		tops = tops[1:]
	}
	if len(tops) > 0 {
		b.tree.Fragmented = true
		b.addStandIn(tops, rooted)
	}
	for len(b.pending) > 0 {
		next := b.pending[len(b.pending)-1]
		b.pending = b.pending[:len(b.pending)-1]
		b.addNode(next)
	}
}

// addStandIn adds a node in the place of the parents that are missing: below
// the root where there is one, as the root elsewhere.
func (b *Builder) addStandIn(tops []int32, rooted bool) {
	spans := b.tree.Trace.Spans
	node := Node{Span: None, Server: None, Parent: None}
	if rooted {
		node.Parent, node.Depth, node.Apart = 0, 1, true
	}
	start, end := clampTime(spans[tops[0]].Start), clampTime(spans[tops[0]].Start)
	for _, top := range tops {
		begin := clampTime(spans[top].Start)
		start, end = min(start, begin), max(end, begin+clampDuration(spans[top].Duration))
	}
	node.Start, node.Duration = start, end-start
	node.InnerStart, node.InnerDuration = node.Start, node.Duration
	index := int32(len(b.tree.Nodes))
	b.tree.Nodes = append(b.tree.Nodes, node)
	mark := len(b.pending)
	for _, top := range tops {
		b.pending = append(b.pending, pendingNode{span: top, parent: index, start: clampTime(spans[top].Start)})
	}
	b.orderPending(mark)
}

// addNode makes a node of a span and puts its children on the stack.
func (b *Builder) addNode(next pendingNode) {
	spans := b.tree.Trace.Spans
	span := &spans[next.span]
	b.countNegative(span)
	node := Node{
		Span: next.span, Server: b.mergedServer(next.span), Parent: next.parent,
		Failed: span.Failed, Start: next.start, Duration: clampDuration(span.Duration),
	}
	node.InnerStart, node.InnerDuration = node.Start, node.Duration
	innerShift := next.shift
	if node.Server != None {
		server := &spans[node.Server]
		b.countNegative(server)
		node.Failed = node.Failed || server.Failed
		var moved bool
		innerShift, moved = b.shiftOf(node.Server, next.shift, interval{start: node.Start, end: node.End()}, waits(span))
		if moved {
			b.tree.Repairs.Skewed++
		}
		start := clampTime(server.Start) + innerShift
		end := min(start+clampDuration(server.Duration), node.End())
		node.InnerStart = min(max(start, node.Start), node.End())
		node.InnerDuration = max(end-node.InnerStart, 0)
	}
	if next.parent != None {
		parent := &b.tree.Nodes[next.parent]
		node.Depth = parent.Depth + 1
		node.Apart = parent.Apart || b.runsApart(&node, parent)
	}
	index := int32(len(b.tree.Nodes))
	b.tree.Nodes = append(b.tree.Nodes, node)
	b.pushChildren(index, innerShift)
}

func (b *Builder) countNegative(span *Span) {
	if span.Duration < 0 {
		b.tree.Repairs.NegativeDurations++
	}
}

// inner is the span in which a node's calls begin: the server's where merged.
func (n *Node) inner() int32 {
	if n.Server != None {
		return n.Server
	}
	return n.Span
}

// runsApart says whether the parent does not wait for a call: a message, work
// that only follows from it, and work that begins when the parent has ended or
// goes on when it has.
func (b *Builder) runsApart(node, parent *Node) bool {
	if parent.Span == None {
		return false
	}
	spans := b.tree.Trace.Spans
	caller, callee := &spans[parent.inner()], &spans[node.Span]
	isLinked := callee.ParentID == SpanID{}
	if callee.Follows || isLinked && callee.ID != caller.ID {
		return true
	}
	if (caller.Kind == Producer || caller.Service != callee.Service) && callee.IsConsumer() {
		return true
	}
	end := parent.InnerStart + parent.InnerDuration
	if node.Start >= end {
		return node.End() > end
	}
	// Whoever waits ends last. Clocks of several services may differ, and a
	// server may write its span after the client has the answer.
	if caller.Kind == Client || caller.Service != callee.Service && callee.Kind != Server {
		return false
	}
	return node.End()-end > max(parent.InnerDuration/100, minOverrun)
}

// minOverrun is by how much a call must outlive its parent at least: spans are
// not ended at the very instant at which the work is done.
const minOverrun = int64(time.Millisecond)

// mergedServer is the server's span that a client's span reached, if that is
// all that is below it: otherwise (retries, local work inside the call) the
// calls stay apart. Where kinds are unknown, a name that says so stands for
// the kind. Durations play no part, so that a path is the same in fast and
// slow traces.
func (b *Builder) mergedServer(span int32) int32 {
	spans, children := b.tree.Trace.Spans, b.links.children(span)
	if len(children) != 1 || b.links.parent[children[0]] != span {
		return None
	}
	client, server := &spans[span], &spans[children[0]]
	switch {
	case client.Kind == Client && server.Kind == Server && !server.Follows: // it may call itself
		return children[0]
	case client.Kind != Unspecified || server.Kind != Unspecified || client.Service == server.Service || server.Follows:
		return None
	case !b.startsWithin(span): // it answers a call itself: a relay
		return None
	case sameMethod(client.Name, server.Name) || namesClient(client.Name) || namesEnds(client.Name, server.Name):
		return children[0]
	}
	return None
}

// startsWithin says that a span was started by another of its service, and is
// not where a call arrives.
func (b *Builder) startsWithin(span int32) bool {
	parent := b.links.parent[span]
	return parent >= 0 && b.tree.Trace.Spans[parent].Service == b.tree.Trace.Spans[span].Service
}

// sameMethod says that two names are of one remote method: equal, or one with
// a prefix ("shop.Cart/Get", "/shop.Cart/Get", "grpc.shop.Cart/Get").
func sameMethod(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if a == "" || !strings.HasSuffix(b, a) {
		return false
	}
	at := len(b) - len(a)
	return at == 0 || a[0] == '/' || strings.IndexByte("./: ", b[at-1]) >= 0
}

// namesEnds tells the two ends of a call whose names say which end they are:
// "upload_text_client" and "upload_text_server".
func namesEnds(client, server string) bool {
	return endsWith(client, "client") && endsWith(server, "server")
}

// endsWith says that a name's last word is the given one, in any case.
func endsWith(name, word string) bool {
	at := len(name) - len(word)
	return at >= 0 && strings.EqualFold(name[at:], word)
}

// namesClient tells the names that HTTP client instrumentations give: "HTTP
// GET", "GET", "POST /users".
func namesClient(name string) bool {
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "HTTP "), " ")
	switch name {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return true
	}
	return false
}

// pushChildren puts a node's calls on the stack, the earliest on top.
func (b *Builder) pushChildren(index int32, shift int64) {
	node := &b.tree.Nodes[index]
	spans, inner := b.tree.Trace.Spans, node.inner()
	mark := len(b.pending)
	for _, child := range b.links.children(inner) {
		if b.links.parent[child] == inner {
			b.pending = append(b.pending, pendingNode{span: child, parent: index, shift: 0})
		}
	}
	if len(b.pending) == mark {
		return
	}
	b.shiftChildren(b.pending[mark:], node, shift)
	for i := mark; i < len(b.pending); i++ {
		next := &b.pending[i]
		next.start = clampTime(spans[next.span].Start) + next.shift
	}
	b.orderPending(mark)
}

// orderPending sorts the stack above the mark so that the earliest comes off
// first.
func (b *Builder) orderPending(mark int) {
	spans := b.tree.Trace.Spans
	slices.SortFunc(b.pending[mark:], func(x, y pendingNode) int {
		return cmp.Or(
			cmp.Compare(y.start, x.start),
			cmp.Compare(spans[x.span].Duration, spans[y.span].Duration),
			bytes.Compare(spans[y.span].ID[:], spans[x.span].ID[:]),
			cmp.Compare(spans[y.span].Kind, spans[x.span].Kind),
			compareDuplicates(&spans[y.span], &spans[x.span]), // several receivers of one id
		)
	})
}

// Times are kept far from the ends of int64, so that no sum overflows.
const (
	latest  = int64(1) << 61
	longest = int64(1) << 60
	// maxSkew is the largest error of a clock that is put right; what is
	// farther off is taken as it stands.
	maxSkew = int64(time.Hour)
)

func clampTime(t int64) int64     { return min(max(t, -latest), latest) }
func clampDuration(d int64) int64 { return min(max(d, 0), longest) }
