package topology

import (
	"github.com/foresight-observability/foresight/pkg/trace"
)

// linkOf is the call that a node stands for; local work is none.
func (c *collector) linkOf(tree *trace.Tree, index int32) (l link, exists bool) {
	spans, node := tree.Trace.Spans, &tree.Nodes[index]
	span, inner := &spans[node.Span], &spans[innerOf(node)]
	var caller *trace.Span
	if node.Parent != trace.None && tree.Nodes[node.Parent].Span != trace.None {
		caller = &spans[innerOf(&tree.Nodes[node.Parent])]
	}
	l = link{
		from: serviceOf(span.Service), client: node.Duration, server: -1, gap: -1,
		start: node.Start, end: node.End(), failed: node.Failed, operation: span.Name, callerVersion: span.Version,
	}
	switch {
	case node.Server != trace.None:
		l.to, l.calleeVersion, l.operation = serviceOf(inner.Service), inner.Version, inner.Name
		l.server, l.gap, l.isServices = node.InnerDuration, node.Gap, true
	case span.IsConsumer():
		if takesForOthers(tree, index) {
			return link{}, false // each message is counted where it is worked on
		}
		l = received(span, node, senderOf(tree, index))
		l.server += processing(tree, index)
	case span.Kind == trace.Producer:
		l.to = queue(span)
	case span.Kind == trace.Client:
		if tree.ReachesServer(index) || tree.IsCarried(index) || tree.IsWrapper(index) {
			return link{}, false // counted elsewhere
		}
		l.to, l.unpaired = c.peerOf(carrier(tree, index))
		l.isServices = l.to.kind == Service
	case caller != nil && (caller.Service != span.Service || caller.Kind == trace.Client && span.Kind == trace.Server):
		l = c.arrived(span, node, caller, &tree.Nodes[node.Parent])
	case caller == nil && span.Kind == trace.Server:
		return link{}, false // its caller is missing and left no name
	default:
		return link{}, false
	}
	key := sister{node.Parent, l.to.id, span.Name}
	if before := c.last[key]; before != nil && before.Failed && before.End() <= node.Start {
		l.again = true
	}
	resent := span.Attribute("http.request.resend_count")
	l.again = l.again || resent != "" && resent != "0"
	c.last[key] = node
	return l, true
}

// peerOf is what a client's span without a server's span reached: a database,
// a service that sent no span this time, or someone outside.
func (c *collector) peerOf(span *trace.Span) (to peer, unpaired bool) {
	if to, exists := c.stores.database(span); exists {
		return to, false
	}
	if span.Attribute("messaging.system") != "" {
		return queue(span), false
	}
	for _, name := range namesOf(span, trace.PeerAttributes...) {
		for _, service := range []string{name, trace.HostWithoutPort(name)} {
			if c.services[service] && service != span.Service {
				return serviceOf(service), true
			}
		}
	}
	return external(span), false
}

// received is the way of a message from its queue to who works on it: the
// client's duration is the time it waited.
func received(span *trace.Span, node *trace.Node, sender *trace.Span) link {
	l := link{
		from: queue(span), to: serviceOf(span.Service), client: -1, server: node.Duration, gap: -1,
		start: node.Start, end: node.End(), failed: node.Failed, operation: span.Name, calleeVersion: span.Version,
		unpaired: sender == nil,
	}
	if sender != nil && sender.Kind == trace.Producer {
		if q := queue(sender); q.id != l.from.id && span.Attribute("messaging.destination.name") == "" && span.Attribute("messaging.destination") == "" {
			l.from = q
		}
		l.client = max(0, node.Start-sender.End())
	}
	return l
}

// arrived is a call whose two ends were not merged: the client's span is
// missing, holds several calls, or kinds are unknown.
func (c *collector) arrived(span *trace.Span, node *trace.Node, caller *trace.Span, parent *trace.Node) link {
	l := link{
		from: serviceOf(caller.Service), to: serviceOf(span.Service), client: -1, server: node.Duration, gap: -1,
		start: node.Start, end: node.End(), failed: node.Failed, operation: span.Name,
		callerVersion: caller.Version, calleeVersion: span.Version, isServices: true,
	}
	if caller.Kind == trace.Client && parent.Server == trace.None {
		l.client = parent.Duration
	} else {
		l.unpaired = span.Kind == trace.Server
	}
	return l
}

// carrier is the span that names the peer of a client's span: itself, or the one
// within it that carries its call where it has no name for it.
func carrier(tree *trace.Tree, index int32) *trace.Span {
	spans, nodes := tree.Trace.Spans, tree.Nodes
	own := &spans[nodes[index].Span]
	if firstOf(own, trace.PeerAttributes...) != "" || firstOf(own, "db.system.name", "db.system", "db.statement", "db.query.text", "messaging.system") != "" {
		return own
	}
	for child := index + 1; child < nodes[index].Last; child = nodes[child].Last {
		if at := nodes[child].Span; at != trace.None && spans[at].Kind == trace.Client && spans[at].Service == own.Service {
			return carrier(tree, child)
		}
	}
	return own
}

// takesForOthers says that a span only took messages that spans of its service
// below it work on: "receive" around one "process" for each message.
func takesForOthers(tree *trace.Tree, index int32) bool {
	spans, nodes := tree.Trace.Spans, tree.Nodes
	own := &spans[nodes[index].Span]
	for child := index + 1; child < nodes[index].Last; child = nodes[child].Last {
		if at := nodes[child].Span; at != trace.None && spans[at].Service == own.Service && spans[at].IsConsumer() && sameQueue(own, &spans[at]) {
			return true
		}
	}
	return false
}

// sameQueue says that two spans take messages of one queue, as far as they say.
func sameQueue(a, b *trace.Span) bool {
	first, second := queue(a), queue(b)
	return first.name == second.name || first.name == unnamedQueue || second.name == unnamedQueue
}

// senderOf is who sent the message that a span works on: its caller, or that of
// the span of its own service that took the message; nil for none.
func senderOf(tree *trace.Tree, index int32) *trace.Span {
	spans, nodes := tree.Trace.Spans, tree.Nodes
	own := &spans[nodes[index].Span]
	for at := nodes[index].Parent; at != trace.None && nodes[at].Span != trace.None; at = nodes[at].Parent {
		if sender := &spans[innerOf(&nodes[at])]; sender.Service != own.Service || !sender.IsConsumer() || !sameQueue(sender, own) {
			return sender
		}
	}
	return nil
}

// processing is how long a message is worked on after the span that took it has
// ended: instrumentations that poll write the work as a child of the poll.
func processing(tree *trace.Tree, index int32) (took int64) {
	spans, nodes := tree.Trace.Spans, tree.Nodes
	for child := index + 1; child < nodes[index].Last; child = nodes[child].Last {
		node := &nodes[child]
		if node.Span != trace.None && spans[node.Span].Service == spans[nodes[index].Span].Service && node.Start >= nodes[index].End() &&
			(spans[node.Span].Kind == trace.Unspecified || spans[node.Span].Kind == trace.Internal) {
			took += node.Duration
		}
	}
	return took
}
