package trace_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

func TestCallsWithTheSameChainAreOnePath(t *testing.T) {
	paths := trace.NewPaths(trace.Limits{})
	tree := build(traceOf(
		span{id: 1, kind: trace.Server, service: "web", name: "root", duration: 100},
		span{id: 2, parent: 1, kind: trace.Client, service: "web", name: "GET", start: 1, duration: 9},
		span{id: 3, parent: 2, kind: trace.Server, service: "cart", name: "item 123", start: 2, duration: 5},
		span{id: 4, parent: 1, kind: trace.Client, service: "web", name: "GET", start: 20, duration: 9},
		span{id: 5, parent: 4, kind: trace.Server, service: "cart", name: "item 456", start: 22, duration: 5},
		span{id: 6, parent: 1, service: "web", name: "walk", start: 40, duration: 50},
		span{id: 7, parent: 6, service: "web", name: "walk", start: 41, duration: 40},
		span{id: 8, parent: 7, service: "web", name: "walk", start: 42, duration: 30},
	), trace.Limits{})
	ids := paths.Assign(tree, nil)
	require.Equal(t, []trace.PathID{0, 1, 1, 2, 2, 2}, ids, "pairs are one call, an operation that calls itself one path")
	require.Equal(t, trace.Path{Parent: 0, Root: 0, Depth: 1, Service: "cart", Operation: "item {id}", Example: "item 123", Kind: trace.Server}, *paths.Path(1))
	require.Equal(t, "web·root·server > cart·item {id}·server", paths.Path(1).Key(paths.Path(0).Key("")))
	require.Equal(t, ids, paths.Assign(tree, nil), "a second trace finds the same paths")
	require.Equal(t, 3, paths.Len())
}

func TestLongOperationsHaveShortDistinctKeys(t *testing.T) {
	long := strings.Repeat("ä", 400)
	one, other := trace.Path{Operation: long + "x"}, trace.Path{Operation: long + "y"}
	require.Less(t, len(one.Key("")), 150)
	require.NotEqual(t, one.Key(""), other.Key(""))
}

func TestPathsAreBounded(t *testing.T) {
	limits := trace.Limits{MaxDepth: 3, MaxPaths: 10}
	deep := make([]span, 8)
	for i := range deep {
		deep[i] = span{id: i + 1, parent: i, kind: trace.Internal, service: fmt.Sprint("s", i), name: "x", duration: 10}
	}
	paths := trace.NewPaths(limits)
	ids := paths.Assign(build(traceOf(deep...), limits), nil)
	require.Equal(t, []trace.PathID{0, 1, 2, 3, 3, 3, 3, 3}, ids)
	require.Equal(t, "(deeper)", paths.Path(3).Operation)
	require.Equal(t, 5, paths.Folded)

	wide := []span{{id: 1, service: "web", name: "root", duration: 1000}}
	for i := range 50 {
		wide = append(wide, span{id: i + 2, parent: 1, service: fmt.Sprint("s", i), name: "x", start: i, duration: 1})
	}
	paths = trace.NewPaths(limits)
	ids = paths.Assign(build(traceOf(wide...), limits), nil)
	require.LessOrEqual(t, paths.Len(), 12)
	require.Equal(t, "(other)", paths.Path(ids[len(ids)-1]).Operation)
	require.Equal(t, ids[0], paths.Path(ids[len(ids)-1]).Parent)

	paths = trace.NewPaths(limits) // as many roots
	for i := range 500 {
		paths.Assign(build(traceOf(span{id: 1, service: fmt.Sprint("s", i), name: "x"}), limits), nil)
	}
	require.LessOrEqual(t, paths.Len(), 12)
}
