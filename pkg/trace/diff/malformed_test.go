package diff_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// Both sides get the same defect; the slow query must be found all the same,
// and the defect told.
func TestMalformedTracesAreToldAndCompared(t *testing.T) {
	missing := trace.SpanID{0xff}
	cases := []struct {
		name   string
		harm   func(t *trace.Trace)
		notice string
	}{
		{"missing parents", func(t *trace.Trace) { t.Spans[2].ParentID = missing }, "spans have a parent that is missing"},
		{"duplicate ids", func(t *trace.Trace) { t.Spans = append(t.Spans, t.Spans[1]) }, "spans with a repeated id"},
		{"negative durations", func(t *trace.Trace) { t.Spans[2].Duration = -5 }, "negative durations"},
		{"cycles", func(t *trace.Trace) {
			t.Spans = append(t.Spans, trace.Span{ID: missing, ParentID: missing, Service: "lost", Name: "loop"})
		}, "cycles"},
		{"clock skew of minutes", func(t *trace.Trace) {
			for i := range t.Spans {
				if t.Spans[i].Service == "orders" {
					t.Spans[i].Start += int64(4 * time.Minute)
				}
			}
		}, "clock skew"},
		{"future times", func(t *trace.Trace) {
			for i := range t.Spans {
				t.Spans[i].Start += int64(200 * 365 * 24 * time.Hour)
			}
		}, ""},
		{"not UTF-8", func(t *trace.Trace) {
			for i := range t.Spans {
				t.Spans[i].Name += "\xff"
			}
		}, ""},
		{"zero durations", func(t *trace.Trace) { t.Spans[2].Duration = 0 }, ""},
		{"partial", func(t *trace.Trace) { t.Partial = true }, "incomplete"},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			a := tracetest.Shop{Seed: 1, Traces: 200}.Generate()
			b := tracetest.Shop{Seed: 2, Traces: 200, SlowQuery: 8}.Generate()
			for i := range a {
				if i%2 == 0 {
					test.harm(&a[i])
					test.harm(&b[i])
				}
			}
			result := diff.Compare(a, b, diff.Options{})
			requireSound(t, &result)
			require.Equal(t, diff.Regressed, result.Verdict, result.Reason)
			require.Equal(t, "SELECT * FROM orders WHERE customer = ?", result.Suspects[0].Operation, result.Reason)
			require.Contains(t, strings.Join(result.Notices, "\n"), test.notice)
		})
	}
}

func TestOneSidedIncompletenessIsNoFinding(t *testing.T) {
	a := tracetest.Shop{Seed: 1, Traces: 200}.Generate()
	b := tracetest.Shop{Seed: 2, Traces: 200}.Generate()
	for i := range b { // the store lost the payment's spans of a third of the traces
		if i%3 == 0 {
			b[i].Partial = true
			kept := b[i].Spans[:0]
			for _, span := range b[i].Spans {
				if span.Service != "payment" {
					kept = append(kept, span)
				}
			}
			b[i].Spans = kept
		}
	}
	result := diff.Compare(a, b, diff.Options{})
	for _, suspect := range result.Suspects {
		require.NotEqual(t, diff.Gone, suspect.Kind, result.Reason)
		require.NotEqual(t, diff.Calls, suspect.Kind, result.Reason)
	}
}

func TestTracesOfManySpansAndNames(t *testing.T) {
	populate := func(seed int) []trace.Trace {
		traces := make([]trace.Trace, 25)
		for i := range traces {
			spans := 200
			if i == 0 {
				spans = 100_000
			}
			traces[i].ID = trace.TraceID{byte(seed), byte(i), 1}
			for number := range spans {
				var id, parent trace.SpanID
				binary.BigEndian.PutUint32(id[:], uint32(number+1))
				binary.BigEndian.PutUint32(parent[:], uint32(number/3*min(number, 1)+min(number, 1)))
				traces[i].Spans = append(traces[i].Spans, trace.Span{
					ID: id, ParentID: parent, Service: "s", Name: fmt.Sprintf("op%cx%d", 'a'+number%26, number%10_000),
					Start: int64(number), Duration: int64(spans),
				})
			}
		}
		return traces
	}
	result := diff.Compare(populate(1), populate(2), diff.Options{})
	requireSound(t, &result)
	require.LessOrEqual(t, len(result.Paths), 5002)
	require.Contains(t, strings.Join(result.Notices, "\n"), "collective paths")
}
