package trace_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// TestReceiversOfOneIDHaveAnOrder: spans that differ in their service alone come in
// the same order however they were stored.
func TestReceiversOfOneIDHaveAnOrder(t *testing.T) {
	// Beyond a dozen, sorting does not keep the order of what is equal.
	var spans []trace.Span
	for i := range 24 {
		spans = append(spans, trace.Span{ID: idOf(4), Kind: trace.Server, Service: string(rune('a' + i)), Name: "x"})
	}
	reversed := make([]trace.Span, len(spans))
	for i, span := range spans {
		reversed[len(spans)-1-i] = span
	}
	want := layout(build(&trace.Trace{Spans: spans}, trace.Limits{}))
	require.Equal(t, want, layout(build(&trace.Trace{Spans: reversed}, trace.Limits{})))
}
