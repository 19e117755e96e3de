package diff_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

func TestFaultsAreFoundAndPlaced(t *testing.T) {
	baseline := tracetest.Shop{Seed: 1, Traces: 400}.Generate()
	const (
		ordersQuery = "SELECT * FROM orders WHERE customer = ?"
		linesQuery  = "SELECT * FROM order_lines WHERE order_id = ?"
	)
	cases := []struct {
		name               string
		shop               tracetest.Shop
		verdict            diff.Verdict
		service, operation string
		kind               diff.Aspect
		effect             float64 // of the first suspect's finding
		reason             string
	}{
		{"slow query", tracetest.Shop{SlowQuery: 8}, diff.Regressed, "orders", ordersQuery, diff.SelfTime, 8, "orders: " + ordersQuery + " is 8."},
		{"slow query in some requests", tracetest.Shop{SlowQuery: 20, SlowShare: 0.15}, diff.Regressed, "orders", ordersQuery, diff.OwnTail, 10, "the slowest calls of orders: " + ordersQuery},
		{"N+1 query", tracetest.Shop{NPlusOne: 10}, diff.Regressed, "orders", linesQuery, diff.New, 1, "10 calls per request"},
		{"errors", tracetest.Shop{PaymentFails: 0.1}, diff.Regressed, "payment", "POST /pay", diff.ErrorRate, 0.1, "payment: POST /pay fails in "},
		{"network to one service", tracetest.Shop{SlowNetwork: 20}, diff.Regressed, "payment", "POST /pay", diff.Gap, 20, "the way to payment: POST /pay"},
		{"starved caller", tracetest.Shop{StarvedWeb: 20}, diff.Regressed, "web", "", diff.Gap, 20, "the way from web"},
		{"lost cache", tracetest.Shop{LostCache: true}, diff.Regressed, "cart", "SELECT * FROM cart_items WHERE cart = ?", diff.New, 1, "is new"},
		{"faster query", tracetest.Shop{SlowQuery: 0.1}, diff.Improved, "orders", ordersQuery, diff.SelfTime, 0.1, "faster"},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			test.shop.Seed, test.shop.Traces = 2, 398
			result := diff.Compare(baseline, test.shop.Generate(), diff.Options{})
			require.Equal(t, test.verdict, result.Verdict, result.Reason)
			require.Contains(t, result.Reason, test.reason)
			suspect := result.Suspects[0]
			require.Equal(t, test.service, suspect.Service)
			if test.operation != "" {
				require.Equal(t, test.operation, suspect.Operation)
			}
			require.Equal(t, test.kind, suspect.Kind)
			require.Greater(t, suspect.Share, 0.9)
			require.InEpsilon(t, test.effect, suspect.Finding.Effect, 0.3)
			require.LessOrEqual(t, suspect.Finding.Lower, test.effect*1.1)
			require.GreaterOrEqual(t, suspect.Finding.Upper, test.effect*0.9)
			require.True(t, result.Paths[0].Responsible)
			require.Equal(t, suspect.Path, result.Paths[0].Key)
			require.NotEmpty(t, result.Paths[0].CandidateExamples)
		})
	}
}

func TestSamePopulationShowsNoChange(t *testing.T) {
	found := 0
	for seed := range uint64(50) {
		a := tracetest.Shop{Seed: 1000 + seed, Traces: 150}.Generate()
		b := tracetest.Shop{Seed: 2000 + seed, Traces: 150}.Generate()
		result := diff.Compare(a, b, diff.Options{})
		if result.Verdict != diff.NoChange {
			found++
			t.Log(result.Reason)
		} else {
			require.Regexp(t, `No significant difference: .* fails in 0\.0 % of the requests, was 0\.0 % \(an increase by \d\.\d points is not excluded\)`, result.Reason)
			require.Empty(t, result.Suspects)
		}
	}
	require.Zero(t, found, "of 50 comparisons of equal populations")
}

func TestInsufficientSaysHowManyMore(t *testing.T) {
	many := tracetest.Shop{Seed: 1, Traces: 400}.Generate()
	few := tracetest.Shop{Seed: 2, Traces: 12, SlowQuery: 50}.Generate()
	result := diff.Compare(many, few, diff.Options{})
	require.Equal(t, diff.Insufficient, result.Verdict)
	require.Positive(t, result.NeededTraces)
	require.Contains(t, result.Reason, fmt.Sprintf("%d more of the candidate", result.NeededTraces))
	require.Regexp(t, `, about \d+s at this rate\.$`, result.Reason)
	require.Empty(t, result.Suspects)

	result = diff.Compare(nil, nil, diff.Options{})
	require.Equal(t, diff.Insufficient, result.Verdict)
	require.Equal(t, 20, result.NeededTraces)
}

func TestOtherRequestsAreNotComparable(t *testing.T) {
	a := tracetest.Shop{Seed: 1, Traces: 100}.Generate()
	b := tracetest.Shop{Seed: 2, Traces: 100}.Generate()
	for i := range b {
		b[i].Spans[0].Service = "another"
	}
	result := diff.Compare(a, b, diff.Options{})
	require.Equal(t, diff.NotComparable, result.Verdict)
	require.Contains(t, result.Notices, "Only in the baseline: web GET /catalog (35), web POST /checkout (65).")
}

func TestMixOfEndpointsIsToldAndNotJudged(t *testing.T) {
	a := tracetest.Shop{Seed: 1, Traces: 400}.Generate()
	b := tracetest.Shop{Seed: 2, Traces: 800}.Generate()
	b = slices.DeleteFunc(b, func(t trace.Trace) bool { return len(t.Spans) > 6 && t.ID[0]%4 > 0 }) // most checkouts
	result := diff.Compare(a, b, diff.Options{})
	require.Equal(t, diff.NoChange, result.Verdict, result.Reason)
	require.Contains(t, result.Notices[0], "The mix of requests changed")
}

func TestOrderOfTracesAndSpansDoesNotMatter(t *testing.T) {
	a := tracetest.Shop{Seed: 1, Traces: 120}.Generate()
	b := tracetest.Shop{Seed: 2, Traces: 110, SlowQuery: 3, PaymentFails: 0.3, NPlusOne: 2}.Generate()
	want := diff.Compare(a, b, diff.Options{})
	random := rand.New(rand.NewPCG(1, 1))
	for _, population := range [][]trace.Trace{a, b} {
		random.Shuffle(len(population), func(i, j int) { population[i], population[j] = population[j], population[i] })
		for i := range population {
			spans := population[i].Spans
			random.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		}
	}
	require.Empty(t, cmp.Diff(want, diff.Compare(a, b, diff.Options{})))
}

func TestARhythmIsNoChangeAndHidesNone(t *testing.T) {
	for seed := range uint64(15) {
		start := time.Date(2024, 1, 1, 0, 0, int(seed)*37, 0, time.UTC)
		before := tracetest.Shop{Seed: seed, Traces: 1000, Wave: 0.5, Period: 30 * time.Second, Start: start}
		after := before
		after.Seed, after.Traces, after.Start = seed+500, 120, start.Add(100*time.Second)
		baseline := before.Generate()

		result := diff.Compare(baseline, after.Generate(), diff.Options{})
		require.Contains(t, []diff.Verdict{diff.NoChange, diff.Insufficient}, result.Verdict, result.Reason)

		after.SlowQuery = 5
		result = diff.Compare(baseline, after.Generate(), diff.Options{})
		require.Equal(t, diff.Regressed, result.Verdict, result.Reason)
		require.Equal(t, "SELECT * FROM orders WHERE customer = ?", result.Suspects[0].Operation)
	}
}

func TestTracesGivenTwiceOrOnBothSidesAreTold(t *testing.T) {
	a := tracetest.Shop{Seed: 1, Traces: 100}.Generate()
	b := tracetest.Shop{Seed: 2, Traces: 100}.Generate()
	twice := append(slices.Clone(b), b[0], b[1])
	result := diff.Compare(a, append(twice, a[0], trace.Trace{ID: trace.TraceID{1}}), diff.Options{})
	require.Equal(t, 101, result.Candidate.Traces)
	require.Contains(t, result.Notices, "candidate: 2 traces were given twice and are counted once.")
	require.Contains(t, result.Notices, "candidate: 1 traces without spans are left out.")
	require.Contains(t, result.Notices, "1 traces belong to both sides: the difference between the sides is understated.")
	require.Equal(t, diff.NoChange, diff.Compare(a, a, diff.Options{}).Verdict)
}
