package diff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// typed gives the failures of payment a type; every fourth another one.
func typed(traces []trace.Trace, usual, other string) []trace.Trace {
	count := 0
	for i := range traces {
		for j := range traces[i].Spans {
			span := &traces[i].Spans[j]
			if span.Service != "payment" || !span.Failed {
				continue
			}
			if kind := usual; kind != "" {
				if count++; count%4 == 0 && other != "" {
					kind = other
				}
				span.Attributes = append(span.Attributes, trace.Attribute{Key: "error.type", Value: kind})
			}
		}
	}
	return traces
}

func TestNewErrorTypesAreNamed(t *testing.T) {
	baseline := typed(tracetest.Shop{Seed: 1, Traces: 400, PaymentFails: 0.05}.Generate(), "declined", "")
	candidate := typed(tracetest.Shop{Seed: 2, Traces: 400, PaymentFails: 0.4}.Generate(), "declined", "java.lang.NullPointerException")
	result := diff.Compare(baseline, candidate, diff.Options{})
	require.Equal(t, diff.Regressed, result.Verdict)
	types := result.Paths[0].ErrorTypes
	require.Len(t, types, 2)
	require.Equal(t, "java.lang.NullPointerException", types[0].Name)
	require.True(t, types[0].New)
	require.Zero(t, types[0].Baseline)
	require.False(t, types[1].New)
	require.Positive(t, types[1].Baseline)
	require.Contains(t, result.Reason, "with errors not seen before: java.lang.NullPointerException")

	short := baseline[:40]
	for _, path := range diff.Compare(short, candidate, diff.Options{}).Paths {
		for _, kind := range path.ErrorTypes {
			require.False(t, kind.New, "40 traces are too few to have shown it")
		}
	}
}
