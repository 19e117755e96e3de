package diff

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// other gives the first span of every trace an attribute of one's own.
func other(traces []trace.Trace, key string, value func(t *trace.Trace) string) []trace.Trace {
	for i := range traces {
		traces[i].Spans[0].Other(key, value(&traces[i]))
	}
	return traces
}

// TestOnesOwnAttributesExplain: not only the well-known ones do, and neither ids
// nor what was so before.
func TestOnesOwnAttributesExplain(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	anyone := oneOf(random, "acme", "initech", "hooli", "globex")
	number := 0
	id := func(*trace.Trace) string { number++; return fmt.Sprint("cus-", number) }
	before := other(other(tracetest.Shop{Seed: 1, Traces: 400}.Generate(), "payment.provider", anyone), "app.cart", id)
	after := tracetest.Shop{Seed: 2, Traces: 400, Start: deployAt, SlowQuery: 10, SlowShare: 0.3}.Generate()
	after = other(after, "payment.provider", func(one *trace.Trace) string {
		if longest(one, "SELECT * FROM orders") > 15e6 {
			one.Spans[0].Event("pool exhausted")
			return "acme"
		}
		return anyone(one)
	})
	for i := range 30 {
		after = other(after, fmt.Sprintf("app.noise%d", i), oneOf(random, "a", "b", "c"))
	}
	r := Compare(before, other(after, "app.cart", id), Options{})
	require.Equal(t, Regressed, r.Verdict)
	var names []string
	for _, e := range r.Suspects[0].Explanations {
		names = append(names, e.Attribute+"="+e.Value)
	}
	require.ElementsMatch(t, []string{"payment.provider=acme", "event:pool exhausted=true"}, names)
	require.Contains(t, r.Suspects[0].Explanations[0].String()+r.Suspects[0].Explanations[1].String(), "payment.provider = acme")
}

// TestNewMessagesAreNew: of a type of failure that was there before.
func TestNewMessagesAreNew(t *testing.T) {
	fails := func(traces []trace.Trace, message func(i int) string) []trace.Trace {
		for i := range traces {
			for j := range traces[i].Spans {
				if s := &traces[i].Spans[j]; s.Failed {
					s.Describe("exception.type", "TimeoutError")
					s.Describe("exception.message", message(i))
				}
			}
		}
		return traces
	}
	before := fails(tracetest.Shop{Seed: 3, Traces: 400, PaymentFails: 0.05}.Generate(), func(i int) string { return fmt.Sprintf("card %d declined", i) })
	after := fails(tracetest.Shop{Seed: 4, Traces: 400, Start: deployAt, PaymentFails: 0.3}.Generate(), func(i int) string {
		if i%4 == 0 {
			return fmt.Sprintf("card %d declined", i)
		}
		return fmt.Sprintf("pool %d has no connection", i)
	})
	r := Compare(before, after, Options{})
	require.Equal(t, Regressed, r.Verdict)
	require.Contains(t, r.Reason, "errors not seen before: TimeoutError: pool ? has no connection")
}

// TestAttributesOfTwoGroups: what differs, ranked; and next to nothing where
// nothing does.
func TestAttributesOfTwoGroups(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	group := func(seed uint64, acme float64) []trace.Trace {
		traces := tracetest.Shop{Seed: seed, Traces: 200}.Generate()
		other(traces, "payment.provider", func(*trace.Trace) string {
			if random.Float64() < acme {
				return "acme"
			}
			return "other"
		})
		for i := range 20 {
			other(traces, fmt.Sprintf("app.noise%d", i), oneOf(random, "a", "b", "c"))
		}
		return traces
	}
	found := Attributes(group(1, 0.1), group(2, 0.9), 0.05)
	require.GreaterOrEqual(t, len(found), 2)
	require.Equal(t, "payment.provider", found[0].Attribute)
	require.Equal(t, "payment.provider", found[1].Attribute)
	d := found[0]
	if d.Value != "acme" {
		d = found[1]
	}
	require.InDelta(t, 0.8, d.Candidate.Rate()-d.Baseline.Rate(), 0.1)
	require.Less(t, d.Difference.Lower, d.Difference.Upper)
	require.Greater(t, d.Difference.Lower, 0.6)
	require.Less(t, d.PValue, 1e-9)

	claimed := 0
	for seed := range uint64(50) {
		for _, d := range Attributes(group(100+seed, 0.5), group(200+seed, 0.5), 0.05) {
			claimed += one(strings.HasPrefix(d.Attribute, "app.noise") || d.Attribute == "payment.provider")
		}
	}
	require.LessOrEqual(t, claimed, 5)
	require.Empty(t, Attributes(nil, group(1, 0.5), 0.05))
}
