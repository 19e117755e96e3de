package topology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace"
)

// Draw is the map of the candidate's traces and, where there is a baseline,
// what changed since. It never fails, and the answer does not depend on the
// order of the traces or of their spans.
func Draw(candidate, baseline []trace.Trace, options Options) Map {
	options = options.withDefaults()
	services, databases := map[string]bool{}, stores{}
	survey(candidate, services, databases)
	survey(baseline, services, databases)
	now, before := newCollector(&options, services, databases), newCollector(&options, services, databases)
	now.read(candidate)
	before.read(baseline)

	m := Map{Traces: now.traces, BaselineTraces: before.traces, Notices: notices(now, before)}
	if now.between > 0 {
		m.Unpaired = float64(now.unpaired) / float64(now.between)
	}
	c := comparison{options: &options, now: now, before: before}
	for _, id := range keys(now.nodes, before.nodes) {
		m.Nodes = append(m.Nodes, c.node(id))
	}
	for _, key := range keys(now.edges, before.edges) {
		m.Edges = append(m.Edges, c.edge(key))
	}
	changes := c.decide()
	for i := range m.Nodes {
		m.Nodes[i].Changes = changes["node "+m.Nodes[i].ID]
	}
	for i := range m.Edges {
		m.Edges[i].Changes = changes["edge "+m.Edges[i].ID]
	}
	slices.SortFunc(m.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(typeOrder(a.Type), typeOrder(b.Type)), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(m.Edges, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return m
}

func newCollector(options *Options, services map[string]bool, databases stores) *collector {
	return &collector{options: options, services: services, stores: databases, nodes: map[string]*tally{}, edges: map[edgeKey]*tally{}}
}

func typeOrder(t Type) int {
	return slices.Index([]Type{Service, Database, Cache, Queue, External}, t)
}

// keys are those of both maps, each once.
func keys[K comparable](a, b map[K]*tally) []K {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Collect(maps.Keys(all))
}

// comparison puts both populations side by side and collects the questions
// about change, which are answered together.
type comparison struct {
	options     *Options
	now, before *collector
	questions   []question
}

func (c *comparison) compared() bool { return c.before.traces > 0 }

func (c *comparison) node(id string) Node {
	now, before := c.now.nodes[id], c.before.nodes[id]
	known := cmp.Or(now, before)
	n := Node{
		ID: id, Name: known.peer.name, Type: known.peer.kind, System: known.peer.system,
		Names: slices.Sorted(slices.Values(known.peer.names)), Now: now.load(c.now.traces),
	}
	if now != nil {
		n.Entries, n.Versions = now.entries, versionList(now.versions)
	}
	if c.compared() {
		past := before.load(c.before.traces)
		n.Before = &past
		c.ask("node "+id, now, before, known.peer.kind == Service)
	}
	return n
}

func (c *comparison) edge(key edgeKey) Edge {
	now, before := c.now.edges[key], c.before.edges[key]
	known := cmp.Or(now, before)
	e := Edge{
		ID: key.from + " → " + key.to, From: key.from, To: key.to, Operations: operationList(known.operations),
		Now: now.load(c.now.traces), FirstSeen: instant(known.first), LastSeen: instant(known.last),
		CallerVersions: versionList(known.callers), CalleeVersions: versionList(known.versions),
	}
	if now != nil && before != nil {
		e.FirstSeen = instant(min(now.first, before.first))
	}
	if now != nil {
		e.Unpaired = now.unpaired
	}
	for _, held := range known.examples {
		e.Examples = append(e.Examples, held.id)
	}
	if c.compared() {
		past := before.load(c.before.traces)
		e.Before = &past
		c.ask("edge "+e.ID, now, before, false)
	}
	return e
}

func notices(now, before *collector) (texts []string) {
	for _, side := range []struct {
		name string
		*collector
	}{{"candidate", now}, {"baseline", before}} {
		if side.missing > 0 {
			texts = append(texts, fmt.Sprintf("%d of %d traces of the %s have missing spans.", side.missing, side.traces, side.name))
		}
		texts = append(texts, side.repairs.Notices(side.name)...)
		if side.folded > 0 {
			texts = append(texts, fmt.Sprintf("%d calls of the %s to external peers beyond the limit are drawn as one node.", side.folded, side.name))
		}
	}
	if now.unpaired > 0 {
		unpaired := stats.Proportion{Successes: now.unpaired, Trials: now.between}
		texts = append(texts, fmt.Sprintf("%.0f %% of the calls between services have a span at one end only: sampling differs, or instrumentation is missing.", 100*unpaired.Rate()))
	}
	return texts
}
