package trace_test

import (
	"github.com/foresight-observability/foresight/pkg/trace"
)

// build is the tree of one trace.
func build(t *trace.Trace, limits trace.Limits) *trace.Tree {
	builder := trace.Builder{Limits: limits}
	return builder.Build(t)
}

// operationOf is how a span alone in its trace is named.
func operationOf(span *trace.Span) (operation, example string) {
	paths := trace.NewPaths(trace.Limits{})
	ids := paths.Assign(build(&trace.Trace{Spans: []trace.Span{*span}}, trace.Limits{}), nil)
	path := paths.Path(ids[0])
	return path.Operation, path.Example
}

// criticalPath is the sections that held up a request.
func criticalPath(tree *trace.Tree) []trace.Section {
	var walk trace.CriticalWalk
	return walk.Sections(tree)
}
