package trace

// PeerAttributes name the other end of a call, the most telling first.
var PeerAttributes = []string{"peer.service", "server.address", "net.peer.name", URLHost}

// A library that calls another (a database's client or a vendor's that speaks
// HTTP) writes two clients' spans of one call, one within the other. The call
// counts once: where a server answered the inner, as the inner; else as the
// outer, which says what is called, while the inner only carries it.

// IsCarried says that a client's span only carries the call of one above it.
func (t *Tree) IsCarried(index int32) bool {
	outer := t.outerClient(index)
	if outer == None || t.ReachesServer(index) {
		return false
	}
	inner, _ := t.innerClients(outer)
	return inner == 1 || t.Trace.Spans[t.Nodes[outer].Span].namesPeer()
}

// IsWrapper says that the calls below a client's span are counted, and not it.
func (t *Tree) IsWrapper(index int32) bool {
	if !t.isClient(index) || t.Nodes[index].Server != None {
		return false
	}
	inner, reached := t.innerClients(index)
	return reached || inner > 1 && !t.Trace.Spans[t.Nodes[index].Span].namesPeer()
}

// namesPeer says that a span tells whom it calls.
func (s *Span) namesPeer() bool {
	for i := range s.Attributes {
		switch s.Attributes[i].Key {
		case "peer.service", "server.address", "net.peer.name", URLHost, "db.system", "db.system.name", "db.statement", "db.query.text", "messaging.system":
			return true
		}
	}
	return false
}

func (t *Tree) isClient(index int32) bool {
	span := t.Nodes[index].Span
	return span != None && t.Trace.Spans[span].Kind == Client
}

// outerClient is the client's span of the same service around another, with
// nothing but local work between them; None for none.
func (t *Tree) outerClient(index int32) int32 {
	if !t.isClient(index) {
		return None
	}
	service := t.Trace.Spans[t.Nodes[index].Span].Service
	for at := t.Nodes[index].Parent; at != None && t.Nodes[at].Span != None && t.Nodes[at].Server == None; at = t.Nodes[at].Parent {
		span := &t.Trace.Spans[t.Nodes[at].Span]
		switch {
		case span.Service != service:
			return None
		case span.Kind == Client:
			return at
		case span.Kind != Internal && span.Kind != Unspecified:
			return None
		}
	}
	return None
}

// innerClients counts the clients' spans of the same service within another's,
// and says whether a server answered any.
func (t *Tree) innerClients(index int32) (count int, reached bool) {
	for child := index + 1; child < t.Nodes[index].Last; child++ {
		if t.isClient(child) && t.outerClient(child) == index {
			count++
			reached = reached || t.ReachesServer(child)
		}
	}
	return count, reached
}

// ReachesServer says that a client's span has a span of a callee below it: of
// another service, or a server's of its own.
func (t *Tree) ReachesServer(index int32) bool {
	own := &t.Trace.Spans[t.Nodes[index].Span]
	for at := index; at < t.Nodes[index].Last; at++ {
		node := &t.Nodes[at]
		if node.Server != None {
			return true
		}
		if at > index && node.Span != None {
			if other := &t.Trace.Spans[node.Span]; other.Service != own.Service || other.Kind == Server {
				return true
			}
		}
	}
	return false
}
