package diff

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// told gives the first span of every trace an attribute.
func reported(traces []trace.Trace, attribute string, value func(t *trace.Trace) string) []trace.Trace {
	for i := range traces {
		root := &traces[i].Spans[0]
		root.Attributes = append(root.Attributes, trace.Attribute{Key: attribute, Value: value(&traces[i])})
	}
	return traces
}

// oneOf is a value by chance.
func oneOf(random *rand.Rand, values ...string) func(*trace.Trace) string {
	return func(*trace.Trace) string { return values[random.IntN(len(values))] }
}

func longest(t *trace.Trace, statement string) (duration time.Duration) {
	for i := range t.Spans {
		if strings.HasPrefix(t.Spans[i].Attribute("db.statement"), statement) {
			duration = max(duration, time.Duration(t.Spans[i].Duration))
		}
	}
	return duration
}

// TestExplanations checks that what the slow and the failed requests have in
// common is named.
func TestExplanations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	anyone := oneOf(random, "acme", "initech", "hooli", "globex")
	before := reported(tracetest.Shop{Seed: 1, Traces: 400}.Generate(), "tenant.id", anyone)
	after := tracetest.Shop{Seed: 2, Traces: 400, Start: deployAt, SlowQuery: 10, SlowShare: 0.3}.Generate()
	after = reported(after, "tenant.id", func(one *trace.Trace) string {
		if longest(one, "SELECT * FROM orders") > 15*time.Millisecond && random.IntN(10) > 0 {
			return "acme"
		}
		return anyone(one)
	})
	r := Compare(before, reported(after, "k8s.pod.name", oneOf(random, "orders-1", "orders-2")), Options{})
	require.Equal(t, Regressed, r.Verdict)
	require.Len(t, r.Suspects[0].Explanations, 1, "pods do not explain it")
	e := r.Suspects[0].Explanations[0]
	require.Equal(t, []string{"tenant.id", "acme"}, []string{e.Attribute, e.Value})
	require.Greater(t, e.Coverage, 0.8)
	require.Less(t, e.PValue, 1e-6)
	require.False(t, e.New)
	require.Contains(t, r.Reason, "of the slow requests have tenant.id = acme")

	before = reported(tracetest.Shop{Seed: 3, Traces: 400}.Generate(), "cloud.region", oneOf(random, "eu", "us"))
	after = reported(tracetest.Shop{Seed: 4, Traces: 400, Start: deployAt, PaymentFails: 0.3}.Generate(), "cloud.region", func(one *trace.Trace) string {
		for i := range one.Spans {
			if one.Spans[i].Failed {
				return "ap"
			}
		}
		return oneOf(random, "eu", "us")(one)
	})
	r = Compare(before, after, Options{})
	require.Equal(t, ErrorRate, r.Suspects[0].Kind)
	require.True(t, r.Suspects[0].Explanations[0].New)
	require.Contains(t, r.Reason, "100 % of the failed requests have cloud.region = ap: 100 % of those with it are failed, 0.0 % of those without, and none had it before")
}

var deployAt = time.Date(2024, 1, 1, 0, 1, 0, 0, time.UTC)

// TestNothingExplains checks that chance, values for every request, and what
// was so before explain nothing.
func TestNothingExplains(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	runs, explained := 100, 0
	for seed := range uint64(runs) {
		anyone := oneOf(random, "a", "b", "c", "d", "e", "f")
		before := reported(tracetest.Shop{Seed: seed, Traces: 200}.Generate(), "tenant", anyone)
		after := reported(tracetest.Shop{Seed: seed + 1000, Traces: 200, Start: deployAt, SlowQuery: 6, SlowShare: 0.4}.Generate(), "tenant", anyone)
		r := Compare(before, reported(after, "host.name", anyone), Options{})
		require.Equal(t, Regressed, r.Verdict)
		for _, s := range r.Suspects {
			explained += one(len(s.Explanations) > 0)
		}
	}
	require.LessOrEqual(t, explained, 3)

	number := 0
	each := func(*trace.Trace) string { number++; return strconv.Itoa(number) }
	before := reported(tracetest.Shop{Seed: 1, Traces: 3000}.Generate(), "customer", each)
	after := reported(tracetest.Shop{Seed: 2, Traces: 3000, Start: deployAt, SlowQuery: 6, SlowShare: 0.4}.Generate(), "customer", each)
	require.Empty(t, Compare(before, after, Options{}).Suspects[0].Explanations)

	calls := func(slowInEurope int) (marked []markedCall) {
		for i := range 200 {
			region := []string{"eu", "us"}[i%2]
			request := &request{trace: &trace.Trace{Spans: []trace.Span{{Attributes: []trace.Attribute{{Key: "region", Value: region}}}}}}
			marked = append(marked, markedCall{marked: region == "eu" && i < 2*slowInEurope, request: request, calls: []call{{span: 0, server: trace.None}}})
		}
		return marked
	}
	require.Empty(t, contrasts("region", calls(60), calls(58)), "as it was before")
	require.Len(t, contrasts("region", calls(60), calls(10)), 1)
}
