package pattern_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// TestMalformedTraces checks that a loop is found whatever else is wrong with
// the traces of both sides, that nothing else is, and that the defect is told.
func TestMalformedTraces(t *testing.T) {
	for _, defect := range tracetest.Defects() {
		t.Run(defect.Name, func(t *testing.T) {
			before := tracetest.Harm(tracetest.Shop{Seed: 1, Traces: 200}.Generate(), defect)
			after := tracetest.Harm(tracetest.Shop{Seed: 2, Traces: 200, NPlusOne: 20}.Generate(), defect)
			found := pattern.Detect(after, before, pattern.Options{})
			require.Equal(t, []string{"n_plus_one"}, kinds(found))
			require.Equal(t, pattern.Introduced, found.Findings[0].Change)
			require.Contains(t, strings.Join(found.Notices, "\n"), defect.Notice)
		})
	}
}

// TestManyNames checks 10,000 operations that have nothing in common: an answer
// comes, and says what it counted together.
func TestManyNames(t *testing.T) {
	traces := make([]trace.Trace, 20)
	for i := range traces {
		traces[i].ID = trace.TraceID{1, byte(i)}
		for number := range 10_000 {
			var id, parent trace.SpanID
			binary.BigEndian.PutUint32(id[:], uint32(number+1))
			if number > 0 {
				parent = trace.SpanID{3: 1}
			}
			name := fmt.Sprintf("op%c%c%c", 'a'+number%26, 'a'+number/26%26, 'a'+number/676%26)
			traces[i].Spans = append(traces[i].Spans, trace.Span{ID: id, ParentID: parent, Service: "s", Name: name, Start: int64(number), Duration: 10_000})
		}
	}
	found := pattern.Detect(traces, traces, pattern.Options{})
	require.Empty(t, found.Findings)
	require.Contains(t, strings.Join(found.Notices, "\n"), "counted together")
}
