package trace_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

func TestHugeTracesOfAnyShape(t *testing.T) {
	const count = 100_000
	shapes := map[string]func(i int) (id, parent int){
		"chain":       func(i int) (int, int) { return i + 1, i },
		"wide":        func(i int) (int, int) { return i + 1, min(i, 1) },
		"all orphans": func(i int) (int, int) { return i + 1, count + i + 2 },
		"one id":      func(i int) (int, int) { return 1, 0 },
		"one circle":  func(i int) (int, int) { return i + 1, (i+1)%count + 1 },
		"pairs that circle": func(i int) (int, int) {
			return i + 1, (i ^ 1) + 1
		},
		"binary": func(i int) (int, int) { return i + 1, (i + 1) / 2 },
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			large := &trace.Trace{Spans: make([]trace.Span, count)}
			for i := range large.Spans {
				id, parent := shape(i)
				large.Spans[i] = trace.Span{ID: idOf(id), ParentID: idOf(parent), Service: fmt.Sprint("s", i%7), Name: "op", Start: int64(i), Duration: int64(count)}
			}
			tree := build(large, trace.Limits{})
			requireSound(t, tree)
			paths := trace.NewPaths(trace.Limits{})
			require.Len(t, paths.Assign(tree, nil), len(tree.Nodes))
			require.LessOrEqual(t, paths.Len(), 5002)
		})
	}
}

func TestSpansBeyondTheLimitAreLeftOut(t *testing.T) {
	tree := build(traceOf(
		span{id: 1, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, service: "web", name: "child", start: 10, duration: 40},
	), trace.Limits{MaxSpans: 1})
	require.Len(t, tree.Nodes, 1)
	require.Equal(t, 1, tree.Repairs.Dropped)
	require.True(t, tree.Incomplete)
	require.Empty(t, build(&trace.Trace{}, trace.Limits{}).Nodes)
}
