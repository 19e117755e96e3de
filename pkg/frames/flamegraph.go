package frames

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// Grafana's flame graph panel reads a tree as rows in depth-first order with
// their level, and compares two trees where valueRight and selfRight stand
// beside value and self. It takes for granted that there is exactly one root
// and at least one row, and that a node is as wide as its children together.

// maxNodes is how many nodes a browser's flame graph takes without effort.
const maxNodes = 5000

// flameNode is a call path with its time per request on both sides: self time
// (per call × calls per request), and the sum of it over the path and all it
// calls. Durations would not do: calls made in parallel are longer together
// than their caller.
type flameNode struct {
	label                string
	level                int
	selfLeft, selfRight  float64
	totalLeft, totalBoth float64 // totalBoth is the width Grafana draws
}

func (n flameNode) totalRight() float64 { return n.totalBoth - n.totalLeft }

// flameGraph is the differential flame graph of the call paths, baseline left
// and candidate right, in nanoseconds per request.
func flameGraph(a engine.TraceDiffAnswer, notices *remarks) *data.Frame {
	nodes := prune(flameNodes(a), notices)
	frame := newFrame("flamegraph", data.FrameTypeUnknown, data.VisTypeFlameGraph, a.Provenance)
	frame.Fields = data.Fields{
		column(nodes, "level", "", "", func(n flameNode) int64 { return int64(n.level) }),
		column(nodes, "label", "", "", func(n flameNode) string { return n.label }),
		column(nodes, "value", "", "ns", func(n flameNode) float64 { return n.totalLeft }),
		column(nodes, "self", "", "ns", func(n flameNode) float64 { return n.selfLeft }),
		column(nodes, "valueRight", "", "ns", flameNode.totalRight),
		column(nodes, "selfRight", "", "ns", func(n flameNode) float64 { return n.selfRight }),
	}
	return frame
}

// flameNodes are the call paths in depth-first order; siblings are ordered by
// key, so that they keep their places from one refresh to the next. Paths
// without a known caller are roots; unless there is exactly one, the roots are
// gathered under another one.
func flameNodes(a engine.TraceDiffAnswer) []flameNode {
	tree := newCallTree(a.Result.Paths)
	var trees [][]flameNode
	// Should callers form a circle, its first path stands for the missing root.
	for _, callerKnown := range []bool{false, true} {
		for i := range tree.paths {
			if tree.callerKnown[i] == callerKnown && !tree.reached[i] {
				trees = append(trees, tree.flatten(i, 0, nil))
			}
		}
	}
	if len(trees) == 1 {
		return trees[0]
	}
	nodes := []flameNode{{label: "all requests of " + cmp.Or(a.Service, "every service")}}
	for _, tree := range trees {
		nodes[0].totalLeft += tree[0].totalLeft
		nodes[0].totalBoth += tree[0].totalBoth
		for _, node := range tree {
			node.level++
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// callTree links call paths by their position.
type callTree struct {
	paths       []diff.Path // by key
	callees     [][]int
	callerKnown []bool
	reached     []bool
}

func newCallTree(paths []diff.Path) *callTree {
	n := len(paths)
	t := &callTree{slices.Clone(paths), make([][]int, n), make([]bool, n), make([]bool, n)}
	slices.SortStableFunc(t.paths, func(a, b diff.Path) int { return cmp.Compare(a.Key, b.Key) })
	position := make(map[string]int, n)
	for i, path := range t.paths {
		position[path.Key] = i
	}
	for i, path := range t.paths {
		if caller, known := position[path.Parent]; known && path.Parent != "" && caller != i {
			t.callees[caller] = append(t.callees[caller], i)
			t.callerKnown[i] = true
		}
	}
	return t
}

// flatten appends a path and all it calls, each once.
func (t *callTree) flatten(i, level int, nodes []flameNode) []flameNode {
	t.reached[i] = true
	path, own := t.paths[i], len(nodes)
	left, right := selfPerRequest(path.Baseline), selfPerRequest(path.Candidate)
	nodes = append(nodes, flameNode{
		label: path.Service + ": " + path.Operation, level: level,
		selfLeft: left, selfRight: right, totalLeft: left, totalBoth: left + right,
	})
	for _, callee := range t.callees[i] {
		if t.reached[callee] {
			continue
		}
		first := len(nodes)
		nodes = t.flatten(callee, level+1, nodes)
		nodes[own].totalLeft += nodes[first].totalLeft
		nodes[own].totalBoth += nodes[first].totalBoth
	}
	return nodes
}

// selfPerRequest is in whole nanoseconds, eleven days at most, so that sums
// are exact or nearly so.
func selfPerRequest(side diff.PathSummary) float64 {
	perRequest := math.Round(side.SelfTime.Mean * side.CallsPerRequest)
	if !isFinite(perRequest) {
		return 0
	}
	return min(max(perRequest, 0), 1e15)
}

// prune keeps the widest nodes. A caller is at least as wide as what it calls
// and stands before it, so that no node loses its caller.
func prune(nodes []flameNode, notices *remarks) []flameNode {
	if len(nodes) <= maxNodes {
		return nodes
	}
	notices.add(data.NoticeSeverityWarning, fmt.Sprintf("The flame graph shows the %d widest of %d call paths.", maxNodes, len(nodes)))
	order := make([]int, len(nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(nodes[b].totalBoth, nodes[a].totalBoth) })
	kept := order[:maxNodes]
	slices.Sort(kept)
	pruned := make([]flameNode, len(kept))
	for i, index := range kept {
		pruned[i] = nodes[index]
	}
	return pruned
}
