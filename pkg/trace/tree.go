package trace

import "fmt"

// Limits bound what one trace may cost. The zero value means the defaults.
type Limits struct {
	MaxSpans int // spans of one trace that are looked at; default 250,000
	MaxDepth int // calls of a path; deeper ones are one path "(deeper)"; default 64
	MaxPaths int // paths below one root; further ones are one path "(other)"; default 5,000
}

func (l Limits) withDefaults() Limits {
	if l.MaxSpans <= 0 {
		l.MaxSpans = 250_000
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = 64
	}
	if l.MaxPaths <= 0 {
		l.MaxPaths = 5_000
	}
	return l
}

// None stands for "no node" and "no span" where an index is expected.
const None = int32(-1)

// Node is one call of a tree: a span, or a client's span merged with the
// server's span that it reached. Times are repaired: no duration is negative,
// and a clock that runs ahead or behind is put right where causality bounds
// it. All are nanoseconds.
type Node struct {
	Span   int32 // index in Trace.Spans, the client's where merged; None for the stand-in of missing parents
	Server int32 // the server's span merged into this call; None for not merged
	Parent int32 // index in Tree.Nodes; None for the root
	Last   int32 // the subtree of node i is Nodes[i:Last]
	Depth  int32
	Failed bool
	// Origin marks a failed call without a failed call below it: errors come
	// from there, its callers only pass them on.
	Origin bool
	// Apart marks work that its parent does not wait for (messages, calls that
	// begin after the parent ended or go on after it) and all that is below such
	// work.
	Apart bool

	Start, Duration int64 // of the whole call, as the caller sees it
	// InnerStart and InnerDuration are of the part in the callee: the server's
	// span where merged, the whole call elsewhere.
	InnerStart, InnerDuration int64
	// Self is the part of the inner duration in which no call below was running.
	Self int64
	// Gap is what of the call was neither in client nor server: network,
	// queues, proxies. 0 where nothing was merged.
	Gap int64
}

// End is the instant at which the call ended.
func (n *Node) End() int64 { return n.Start + n.Duration }

// Repairs counts what was wrong with a trace's spans.
type Repairs struct {
	Duplicates        int // spans with an id seen before, dropped
	Orphans           int // spans whose parent is missing
	Cycles            int // parent links cut because they ran in a circle
	NegativeDurations int // taken as 0
	Skewed            int // calls moved into their caller's time
	Dropped           int // spans beyond Limits.MaxSpans
	Impossible        int // spans of a time before 1897 or after 2043, taken as simultaneous
}

// Add sums the counts.
func (r *Repairs) Add(other Repairs) {
	r.Duplicates += other.Duplicates
	r.Orphans += other.Orphans
	r.Cycles += other.Cycles
	r.NegativeDurations += other.NegativeDurations
	r.Skewed += other.Skewed
	r.Dropped += other.Dropped
	r.Impossible += other.Impossible
}

// Notices say what was repaired, and left out, on a side of a comparison.
func (r Repairs) Notices(side string) (notices []string) {
	for _, one := range []struct {
		count int
		text  string
	}{
		{r.Orphans, "spans have a parent that is missing."},
		{r.Duplicates, "spans with a repeated id are counted once."},
		{r.Cycles, "cycles of parent links were cut."},
		{r.NegativeDurations, "negative durations are taken as 0."},
		{r.Skewed, "calls were moved into their caller's time (clock skew)."},
		{r.Dropped, "spans are beyond the limit per trace and left out."},
		{r.Impossible, "spans lie decades away and are taken as simultaneous."},
	} {
		if one.count > 0 {
			notices = append(notices, fmt.Sprintf("%s: %d %s", side, one.count, one.text))
		}
	}
	return notices
}

// Tree is the calls of one trace. Nodes are in depth-first order, callers
// before calls and sisters by their start, so that walks need no recursion.
type Tree struct {
	Trace   *Trace
	Nodes   []Node // Nodes[0] is the root; empty for a trace without spans
	Repairs Repairs
	// Incomplete says that spans are missing: the store said so, or parents are
	// not there.
	Incomplete bool
	// Fragmented says that parts of the trace hang under a stand-in because
	// what connects them is missing: what is not there says nothing.
	Fragmented bool
}

// Builder builds trees one after the other in the same memory. The zero value
// is ready.
type Builder struct {
	Limits Limits

	tree    Tree
	links   treeLinks
	pending []pendingNode
	covered []int64
}

// Build turns a trace's spans into a tree, which is valid until the next call.
// Whatever the spans look like, there is an answer; Repairs says what was wrong
// with them. The time is proportional to n log n for n spans.
func (b *Builder) Build(t *Trace) *Tree {
	limits := b.Limits.withDefaults()
	b.tree = Tree{Trace: t, Nodes: b.tree.Nodes[:0], Incomplete: t.Partial, Fragmented: t.Partial}
	spans := t.Spans
	if len(spans) > limits.MaxSpans {
		b.tree.Repairs.Dropped = len(spans) - limits.MaxSpans
		spans = spans[:limits.MaxSpans]
	}
	b.links.connect(t, spans, &b.tree.Repairs)
	b.layOut()
	b.measureSelf()
	repairs := &b.tree.Repairs
	if repairs.Orphans > 0 || repairs.Cycles > 0 || repairs.Dropped > 0 {
		b.tree.Incomplete = true
	}
	return &b.tree
}
