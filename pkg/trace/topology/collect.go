package topology

import (
	"bytes"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// link is one call between two nodes. Durations are nanoseconds, negative for
// not known.
type link struct {
	from, to             peer
	client, server, gap  int64
	start, end           int64
	operation            string
	callerVersion        string
	calleeVersion        string
	failed, again        bool
	unpaired, isServices bool // one end sent no span; both ends are services
}

// collector reads one population.
type collector struct {
	options  *Options
	services map[string]bool // that sent spans, on either side
	stores   stores          // of either side
	nodes    map[string]*tally
	edges    map[edgeKey]*tally
	traces   int
	between  int // calls between services
	unpaired int // of those, with one end only
	folded   int // calls of external peers beyond the limit
	missing  int // traces with missing spans
	repairs  trace.Repairs
	last     map[sister]*trace.Node
}

type edgeKey struct{ from, to string }

// sister tells calls apart that may be the same one tried again.
type sister struct {
	parent   int32
	to, name string
}

// survey notes the services that sent spans, and where databases are.
func survey(traces []trace.Trace, services map[string]bool, databases stores) {
	for i := range traces {
		for j := range traces[i].Spans {
			services[serviceOf(traces[i].Spans[j].Service).name] = true
			databases.add(&traces[i].Spans[j])
		}
	}
}

// read reads traces in the order of their ids, so that the answer does not
// depend on the order in which they were given.
func (c *collector) read(traces []trace.Trace) {
	order := make([]int, 0, len(traces))
	for i := range traces {
		if len(traces[i].Spans) > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if byID := bytes.Compare(traces[a].ID[:], traces[b].ID[:]); byID != 0 {
			return byID
		}
		return len(traces[b].Spans) - len(traces[a].Spans)
	})
	builder := trace.Builder{Limits: c.options.Limits}
	for i, index := range order {
		if i > 0 && traces[index].ID == traces[order[i-1]].ID {
			continue
		}
		c.add(builder.Build(&traces[index]))
	}
}

func (c *collector) add(tree *trace.Tree) {
	number := c.traces
	c.traces++
	c.repairs.Add(tree.Repairs)
	if tree.Incomplete {
		c.missing++
	}
	c.last = map[sister]*trace.Node{}
	for i := range tree.Nodes {
		node := &tree.Nodes[i]
		if node.Span == trace.None {
			continue
		}
		span, inner := &tree.Trace.Spans[node.Span], &tree.Trace.Spans[innerOf(node)]
		own := c.nodeOf(serviceOf(inner.Service))
		if inner.Kind != trace.Client && inner.Kind != trace.Producer || inner.IsConsumer() { // the time of those is their callee's
			own.work(number, node.Self)
		}
		if inner.Version != "" {
			own.versions[inner.Version]++
		}
		if node.Parent == trace.None && !span.IsConsumer() {
			c.nodeOf(serviceOf(span.Service)).entries++
			if span.Kind != trace.Client && span.Kind != trace.Producer && node.Server == trace.None {
				own.answer(number, &link{server: node.Duration, client: -1, gap: -1, failed: node.Failed})
				continue
			}
		}
		if l, exists := c.linkOf(tree, int32(i)); exists {
			c.count(number, tree.Trace.ID, &l)
		}
	}
}

// innerOf is the span in which a node's own calls begin.
func innerOf(node *trace.Node) int32 {
	if node.Server != trace.None {
		return node.Server
	}
	return node.Span
}

// count adds a call to its edge and to the node that answers it.
func (c *collector) count(number int, id trace.TraceID, l *link) {
	for _, end := range []*peer{&l.from, &l.to} {
		if end.kind == External && c.nodes[end.id] == nil && len(c.nodes) >= c.options.MaxNodes {
			*end = others()
			c.folded++
		}
	}
	if l.isServices {
		c.between++
		if l.unpaired {
			c.unpaired++
		}
	}
	c.nodeOf(l.from)
	callee := c.nodeOf(l.to)
	callee.answer(number, l)
	if l.to.kind != Service {
		callee.work(number, l.client)
	}
	key := edgeKey{l.from.id, l.to.id}
	edge := c.edges[key]
	if edge == nil {
		edge = newTally(peer{})
		c.edges[key] = edge
	}
	edge.answer(number, l)
	edge.describe(id, l)
}

func (c *collector) nodeOf(p peer) *tally {
	held := c.nodes[p.id]
	if held == nil {
		held = newTally(p)
		c.nodes[p.id] = held
	}
	for _, name := range p.names {
		if !slices.Contains(held.peer.names, name) {
			held.peer.names = append(held.peer.names, name)
		}
	}
	return held
}
