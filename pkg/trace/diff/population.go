package diff

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// call is one call of a trace, reduced to what is compared. Durations are
// nanoseconds.
type call struct {
	path, request         int32
	span, server          int32 // in the request's trace; trace.None for none
	failed, origin        bool
	errorType             uint16 // of a failure that begins here; see errorTypes
	errorMessage          uint16
	start                 int64
	duration, self, gap   int64
	critical, criticalGap int64 // time on the critical path at work, and in the gap
}

// request is one trace.
type request struct {
	id         trace.TraceID
	root       trace.PathID
	fragmented bool
	start      int64
	trace      *trace.Trace
	// circumstances is nil until it is needed: see circumstancesOf.
	circumstances map[string]string
}

// population is one side of the comparison: all calls, grouped by path and in
// the order of the requests within.
type population struct {
	requests []request
	calls    []call
	offsets  []int32 // calls of path p are calls[offsets[p]:offsets[p+1]]
	blocks   []uint8 // of every request: see divide
	// shapes and hasNew are of every request, and nil until they are needed: see
	// describeShapes.
	shapes     []uint64
	hasNew     []bool
	summary    PopulationSummary
	errorTypes errorTypes
	// errorMessages are numbered with their types before them.
	errorMessages errorTypes
	repairs       trace.Repairs
	repeated      int // traces with an id seen before, left out
	empty         int // traces without spans, left out
}

// collect builds the trees of all traces, in the order of their ids so that
// the answer does not depend on the order in which they were given.
func collect(traces []trace.Trace, paths *trace.Paths, limits trace.Limits) *population {
	order := make([]int, len(traces))
	spans := 0
	for i := range traces {
		order[i] = i
		spans += len(traces[i].Spans)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if byID := bytes.Compare(traces[a].ID[:], traces[b].ID[:]); byID != 0 {
			return byID
		}
		return len(traces[b].Spans) - len(traces[a].Spans)
	})
	p := &population{calls: make([]call, 0, spans)}
	c := collector{population: p, paths: paths, builder: trace.Builder{Limits: limits}}
	for position, index := range order {
		t := &traces[index]
		switch {
		case position > 0 && t.ID == traces[order[position-1]].ID:
			p.repeated++
		case len(t.Spans) == 0:
			p.empty++
		default:
			c.add(t)
		}
	}
	return p
}

// collector holds the memory that building trees needs.
type collector struct {
	population *population
	paths      *trace.Paths
	builder    trace.Builder
	walk       trace.CriticalWalk
	assigned   []trace.PathID
	calls      []int32 // of every node; an operation that calls itself is one call
}

func (c *collector) add(t *trace.Trace) {
	p := c.population
	tree := c.builder.Build(t)
	c.assigned = c.paths.Assign(tree, c.assigned[:0])
	root := &tree.Nodes[0]
	number := int32(len(p.requests))
	p.requests = append(p.requests, request{
		id: t.ID, root: c.assigned[0], fragmented: tree.Fragmented, start: root.Start, trace: t,
	})
	p.summary.count(tree, len(t.Spans))
	p.repairs.Add(tree.Repairs)

	c.calls = c.calls[:0]
	for i := range tree.Nodes {
		node := &tree.Nodes[i]
		if node.Parent != trace.None && c.assigned[node.Parent] == c.assigned[i] {
			held := &p.calls[c.calls[node.Parent]]
			held.self += node.Self
			held.gap += node.Gap
			held.failed = held.failed || node.Failed
			held.origin = held.origin || node.Origin
			c.calls = append(c.calls, c.calls[node.Parent])
			continue
		}
		c.calls = append(c.calls, int32(len(p.calls)))
		p.calls = append(p.calls, call{
			path: c.assigned[i], request: number, span: node.Span, server: node.Server, failed: node.Failed, origin: node.Origin,
			start: node.Start, duration: node.Duration, self: node.Self, gap: node.Gap,
		})
		if node.Origin {
			failed := &p.calls[len(p.calls)-1]
			kind := errorTypeOf(t, node)
			failed.errorType = p.errorTypes.number(kind)
			if message := errorMessageOf(t, node); message != "" {
				failed.errorMessage = p.errorMessages.number(kind + messageSeparator + message)
			}
		}
	}
	for _, section := range c.walk.Sections(tree) {
		held := &p.calls[c.calls[section.Node]]
		if section.Gap {
			held.criticalGap += section.End - section.Start
		} else {
			held.critical += section.End - section.Start
		}
	}
}

func (s *PopulationSummary) count(tree *trace.Tree, spans int) {
	s.Traces++
	s.Spans += spans
	if tree.Incomplete {
		s.Incomplete++
	}
	start, end := time.Unix(0, tree.Nodes[0].Start).UTC(), time.Unix(0, tree.Nodes[0].End()).UTC()
	if s.Traces == 1 || start.Before(s.Start) {
		s.Start = start
	}
	if s.Traces == 1 || end.After(s.End) {
		s.End = end
	}
}

// group sorts the calls by path; the requests stay in order within a path.
func (p *population) group(pathCount int) {
	p.offsets = make([]int32, pathCount+1)
	for i := range p.calls {
		p.offsets[p.calls[i].path+1]++
	}
	for i := range pathCount {
		p.offsets[i+1] += p.offsets[i]
	}
	next := slices.Clone(p.offsets)
	grouped := make([]call, len(p.calls))
	for i := range p.calls {
		path := p.calls[i].path
		grouped[next[path]] = p.calls[i]
		next[path]++
	}
	p.calls = grouped
}

// of are the calls of a path.
func (p *population) of(path trace.PathID) []call {
	return p.calls[p.offsets[path]:p.offsets[path+1]]
}

// maxBlocks is into how many stretches of time the requests of an endpoint are
// divided.
const maxBlocks = 20

func blockCount(requests int) int { return min(maxBlocks, max(1, requests/2)) }

// divide numbers the blocks: of every endpoint's requests, in the order of
// time, each block holds as many, at least two. Systems have good and bad
// moments; how much blocks differ from one another tells how much of a
// difference between two populations means nothing.
func (p *population) divide() {
	order := make([]int32, len(p.requests))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		first, second := &p.requests[a], &p.requests[b]
		return cmp.Or(cmp.Compare(first.root, second.root), cmp.Compare(first.start, second.start), cmp.Compare(a, b))
	})
	p.blocks = make([]uint8, len(p.requests))
	for start := 0; start < len(order); {
		end := start
		for end < len(order) && p.requests[order[end]].root == p.requests[order[start]].root {
			end++
		}
		count := blockCount(end - start)
		for i := start; i < end; i++ {
			p.blocks[order[i]] = uint8((i - start) * count / (end - start))
		}
		start = end
	}
}
