package trace_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// drawTrace is any trace: parents are missing, ids repeat, links run in
// circles, durations are negative.
func drawTrace(t *rapid.T) *trace.Trace {
	drawn := &trace.Trace{}
	count := rapid.IntRange(1, 25).Draw(t, "spans")
	for range count {
		drawn.Spans = append(drawn.Spans, trace.Span{
			ID:       idOf(rapid.IntRange(1, 25).Draw(t, "id")),
			ParentID: idOf(rapid.IntRange(0, 28).Draw(t, "parent")),
			Kind:     trace.Kind(rapid.IntRange(0, 5).Draw(t, "kind")),
			Service:  rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "service"),
			Name:     rapid.SampledFrom([]string{"x", "GET", "y"}).Draw(t, "name"),
			Failed:   rapid.Bool().Draw(t, "failed"),
			Start:    rapid.Int64Range(0, 200).Draw(t, "start"),
			Duration: rapid.Int64Range(-5, 120).Draw(t, "duration"),
		})
	}
	return drawn
}

// requireSound checks what holds for every tree.
func requireSound(t require.TestingT, tree *trace.Tree) {
	spans := 0
	for i := range tree.Nodes {
		if problem := unsound(tree, int32(i)); problem != "" {
			require.Failf(t, problem, "node %d: %+v", i, tree.Nodes[i])
		}
		spans += boolCount(tree.Nodes[i].Span != trace.None) + boolCount(tree.Nodes[i].Server != trace.None)
	}
	require.Equal(t, len(tree.Trace.Spans), spans+tree.Repairs.Duplicates+tree.Repairs.Dropped, "every span is somewhere")

	cursor := tree.Nodes[0].Start
	for _, section := range criticalPath(tree) {
		if section.Start != cursor || section.End <= section.Start {
			require.Failf(t, "sections follow one another", "%+v at %d", section, cursor)
		}
		cursor = section.End
	}
	require.Equal(t, tree.Nodes[0].End(), cursor, "sections sum to the root")
}

func boolCount(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// unsound says what is wrong with a node; empty for nothing.
func unsound(tree *trace.Tree, i int32) string {
	node := &tree.Nodes[i]
	switch {
	case (i == 0) != (node.Parent == trace.None):
		return "one root, at the front"
	case node.Parent >= i || node.Last <= i:
		return "callers stand before calls"
	case node.Duration < 0 || node.Self < 0 || node.Gap < 0:
		return "no time is negative"
	case node.Duration != node.InnerDuration+node.Gap || node.Self > node.InnerDuration:
		return "times are parts of one another"
	}
	if node.Parent == trace.None {
		return ""
	}
	switch parent := &tree.Nodes[node.Parent]; {
	case node.Depth != parent.Depth+1:
		return "depth counts callers"
	case node.Last > parent.Last:
		return "subtrees nest"
	case parent.Apart && !node.Apart:
		return "what is below work apart is apart"
	}
	return ""
}

func TestAnyTraceHasASoundTree(t *testing.T) {
	var builder trace.Builder
	rapid.Check(t, func(t *rapid.T) {
		drawn := drawTrace(t)
		requireSound(t, builder.Build(drawn))
	})
}

func TestTreeDoesNotDependOnTheOrderOfSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := drawTrace(t)
		want := layout(build(drawn, trace.Limits{}))
		shuffled := &trace.Trace{Spans: rapid.Permutation(drawn.Spans).Draw(t, "order")}
		require.Equal(t, want, layout(build(shuffled, trace.Limits{})))
	})
}

// layout is the tree without the places of its spans.
func layout(tree *trace.Tree) (nodes []any) {
	for _, node := range tree.Nodes {
		var span, server trace.Span
		if node.Span != trace.None {
			span = tree.Trace.Spans[node.Span]
		}
		if node.Server != trace.None {
			server = tree.Trace.Spans[node.Server]
		}
		node.Span, node.Server = 0, 0
		nodes = append(nodes, node, span, server)
	}
	return append(nodes, tree.Repairs, slices.Clone(criticalPath(tree)))
}

func FuzzBuild(f *testing.F) {
	f.Add([]byte{1, 0, 0, 10, 2, 1, 3, 5, 3, 2, 3, 5})
	f.Add([]byte{1, 2, 0, 10, 2, 1, 3, 5, 2, 1, 3, 200})
	f.Add([]byte{5, 5, 0, 0, 5, 5, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed := &trace.Trace{}
		for ; len(data) >= 4; data = data[4:] {
			fuzzed.Spans = append(fuzzed.Spans, trace.Span{
				ID: idOf(int(data[0])), ParentID: idOf(int(data[1])), Kind: trace.Kind(data[2] % 6),
				Service: string(rune('a' + data[2]/86)), Name: string(data[:1]),
				Start: int64(int8(data[2])), Duration: int64(int8(data[3])),
			})
		}
		if len(fuzzed.Spans) > 0 {
			requireSound(t, build(fuzzed, trace.Limits{}))
		}
	})
}
