package pattern

import (
	"bytes"
	"slices"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// place is where a pattern is: the scope that makes the calls, the first call,
// and the others where there are several.
type place struct {
	kind         Kind
	caller, call trace.PathID
	others       string // further paths, as text, so that places can be compared
}

// occurrence is a pattern in one trace.
type occurrence struct {
	request     int32
	repeats     int
	time, saved int64
	// sure says that the trace itself holds what makes the pattern certain: for
	// loops, a read before them; for calls in a row, that each knew its values
	// before the first of them.
	sure bool
}

// request is one trace.
type request struct {
	id         trace.TraceID
	root       trace.PathID
	start, end int64
}

// collector is what was seen in one population.
type collector struct {
	requests []request
	places   map[place][]occurrence
	orders   map[pair]meeting
	attempts map[trace.PathID]attempts
	lookups  map[trace.PathID]*lookups
	queries  map[trace.PathID][]float64 // durations of statements, nanoseconds
	sizes    map[trace.PathID][]weight
	works    map[trace.PathID][]work
	pauses   map[spot][]pause
	repairs  trace.Repairs
	// incomplete counts traces with missing spans.
	incomplete int
}

// record notes a pattern; several at one place in one trace are one occurrence.
func (n *collector) record(p place, o occurrence) {
	held := n.places[p]
	if last := len(held) - 1; last >= 0 && held[last].request == o.request {
		held[last].repeats += o.repeats
		held[last].time += o.time
		held[last].saved += o.saved
		held[last].sure = held[last].sure && o.sure
		return
	}
	n.places[p] = append(held, o)
}

// read fills a collector from traces, in the order of their ids so that the
// answer does not depend on the order in which they were given. known are the
// usual durations of statements; nil for none.
func read(traces []trace.Trace, numbers *trace.Paths, known map[trace.PathID]usual, o *Options) *collector {
	n := &collector{
		places: map[place][]occurrence{}, orders: map[pair]meeting{}, attempts: map[trace.PathID]attempts{},
		lookups: map[trace.PathID]*lookups{}, queries: map[trace.PathID][]float64{},
		sizes: map[trace.PathID][]weight{}, works: map[trace.PathID][]work{}, pauses: map[spot][]pause{},
	}
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
	g := viewBuilder{builder: trace.Builder{Limits: o.Limits}, numbers: numbers, cache: newClassifierCache()}
	for i, index := range order {
		t := &traces[index]
		if i > 0 && t.ID == traces[order[i-1]].ID {
			continue
		}
		s := g.set(t, int32(len(n.requests)))
		root := s.node(0)
		n.requests = append(n.requests, request{id: t.ID, root: s.paths[0], start: root.Start, end: root.End()})
		n.repairs.Add(s.tree.Repairs)
		if s.tree.Incomplete {
			n.incomplete++
		}
		if s.tree.Repairs.Impossible == 0 { // without an order there is nothing to see
			n.inspect(s, known, o)
		}
	}
	return n
}

// inspect asks every detector.
func (n *collector) inspect(s *traceView, known map[trace.PathID]usual, o *Options) {
	n.recordDuplicates(s)
	n.recordChatter(s)
	n.recordStatements(s, known, o)
	n.recordPoolWaits(s, o)
	n.recordWork(s)
	for i := range s.scopes {
		n.recordRetries(s, &s.scopes[i])
		n.recordPause(s, &s.scopes[i])
		n.recordLookups(s, &s.scopes[i])
		if s.batch {
			continue // works through many items by design
		}
		covered := n.recordBlocks(s, &s.scopes[i], o)
		n.recordLoops(s, &s.scopes[i], covered, o)
		n.recordRows(s, &s.scopes[i])
	}
}
