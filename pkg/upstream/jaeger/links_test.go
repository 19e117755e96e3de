package jaeger_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
)

// TestLinks checks that references besides the parent are kept as links: those
// of a batch consumer to other traces, and all calls but one that are joined.
func TestLinks(t *testing.T) {
	client := open(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"data": [{"traceID": "1b", "spans": [
			{"spanID": "1", "operationName": "poll", "duration": 10, "references": [
				{"refType": "FOLLOWS_FROM", "traceID": "aa", "spanID": "7"}, {"refType": "FOLLOWS_FROM", "traceID": "ab", "spanID": "8"}]},
			{"spanID": "2", "operationName": "join", "duration": 5, "references": [
				{"refType": "FOLLOWS_FROM", "traceID": "1b", "spanID": "3"}, {"refType": "CHILD_OF", "traceID": "1b", "spanID": "1"}, {"refType": "CHILD_OF", "traceID": "1b", "spanID": "3"}]},
			{"spanID": "3", "operationName": "later", "duration": 5, "references": [{"refType": "FOLLOWS_FROM", "traceID": "1b", "spanID": "1"}]}
		]}]}`))
	}))
	set, err := client.Fetch(context.Background(), []trace.TraceID{{15: 0x1b}}, time.Now())
	require.NoError(t, err)
	spans := set.Traces[0].Spans
	require.Equal(t, []trace.Link{{Trace: trace.TraceID{15: 0xaa}, Span: trace.SpanID{7: 7}}, {Trace: trace.TraceID{15: 0xab}, Span: trace.SpanID{7: 8}}}, spans[0].Links)
	require.Equal(t, trace.SpanID{7: 1}, spans[1].ParentID)
	require.False(t, spans[1].Follows)
	require.Len(t, spans[1].Links, 2)
	require.Equal(t, trace.SpanID{7: 1}, spans[2].ParentID)
	require.True(t, spans[2].Follows)
}
