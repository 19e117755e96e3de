package diff_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

func TestLeadsWhereTracesAreTooFew(t *testing.T) {
	baseline := tracetest.Shop{Seed: 1, Traces: 400}.Generate()
	for name, test := range map[string]struct {
		shop    tracetest.Shop
		service string
		kind    diff.Aspect
	}{
		"slow query": {tracetest.Shop{SlowQuery: 8}, "orders", diff.SelfTime},
		"errors":     {tracetest.Shop{PaymentFails: 0.8}, "payment", diff.ErrorRate},
		"lost cache": {tracetest.Shop{LostCache: true}, "cart", diff.New},
	} {
		t.Run(name, func(t *testing.T) {
			test.shop.Seed, test.shop.Traces = 2, 15
			result := diff.Compare(baseline, test.shop.Generate(), diff.Options{})
			require.Equal(t, diff.Insufficient, result.Verdict, result.Reason)
			require.Empty(t, result.Suspects)
			require.Equal(t, test.service, result.Hints[0].Service)
			require.Equal(t, test.kind, result.Hints[0].Kind)
			require.Less(t, result.Hints[0].PValue, 0.01)
			require.True(t, slices.ContainsFunc(result.Paths, func(p diff.Path) bool { return p.Key == result.Hints[0].Path }))
		})
	}
}

// TestLeadsOfACallerThatEndsEarly has a checkout stop after the cart, as when
// it was answered wrongly: nothing is slower, nothing fails.
func TestLeadsOfACallerThatEndsEarly(t *testing.T) {
	checkout := func(early bool) step {
		calls := []step{
			{service: "stock", name: "reserve", own: 3},
			{service: "cart", name: "read", own: 2},
			{service: "payment", name: "pay", own: 5},
		}
		if early {
			calls = calls[:2]
		}
		return step{service: "web", name: "checkout", own: 4, calls: calls}
	}
	baseline := population(1, 300, checkout(false))
	candidate := append(population(2, 8, checkout(false)), population(3, 7, checkout(true))...)
	result := diff.Compare(baseline, candidate, diff.Options{})
	require.Equal(t, diff.Insufficient, result.Verdict, result.Reason)
	services := map[string]diff.Aspect{}
	for _, hint := range result.Hints[:3] {
		services[hint.Service] = hint.Kind
	}
	require.Equal(t, map[string]diff.Aspect{"cart": diff.Last, "payment": diff.Gone, "web": diff.Gone}, services)
}

// TestWhoAnsweredLastIsKeptBesideARegression: the stock is slow, which is proven;
// and a third of the checkouts stop after the cart.
func TestWhoAnsweredLastIsKeptBesideARegression(t *testing.T) {
	checkout := func(stock float64, early bool) step {
		calls := []step{
			{service: "stock", name: "reserve", own: stock},
			{service: "cart", name: "read", own: 2},
			{service: "payment", name: "pay", own: 5},
		}
		if early {
			calls = calls[:2]
		}
		return step{service: "web", name: "checkout", own: 4, calls: calls}
	}
	baseline := population(1, 300, checkout(3, false))
	candidate := append(population(2, 200, checkout(60, false)), population(3, 100, checkout(60, true))...)
	result := diff.Compare(baseline, candidate, diff.Options{})
	require.Equal(t, diff.Regressed, result.Verdict, result.Reason)
	require.Equal(t, "stock", result.Suspects[0].Service)
	require.True(t, slices.ContainsFunc(result.Hints, func(h diff.Hint) bool { return h.Service == "cart" && h.Kind == diff.Last }), "%+v", result.Hints)
	for _, hint := range result.Hints {
		require.Equal(t, diff.Last, hint.Kind)
	}
}

func TestProofNeedsNoLeads(t *testing.T) {
	baseline := tracetest.Shop{Seed: 1, Traces: 400}.Generate()
	result := diff.Compare(baseline, tracetest.Shop{Seed: 2, Traces: 400, SlowQuery: 8}.Generate(), diff.Options{})
	require.Equal(t, diff.Regressed, result.Verdict)
	require.Empty(t, result.Hints)
}

// TestLeadsOfNothing checks that a service's p-value is no smaller than chance
// makes it.
func TestLeadsOfNothing(t *testing.T) {
	const runs = 200
	small := map[string]int{}
	for seed := range uint64(runs) {
		result := diff.Compare(tracetest.Shop{Seed: 3000 + seed, Traces: 200}.Generate(), tracetest.Shop{Seed: 4000 + seed, Traces: 15}.Generate(), diff.Options{})
		require.LessOrEqual(t, len(result.Hints), 5)
		require.True(t, slices.IsSortedFunc(result.Hints, func(a, b diff.Hint) int {
			if a.PValue > b.PValue {
				return 1
			}
			return -1
		}))
		for _, hint := range result.Hints {
			require.Greater(t, hint.PValue, 0.0)
			require.Less(t, hint.PValue, 1.0)
			if hint.PValue < 0.05 {
				small[hint.Service]++
			}
		}
	}
	t.Log(small)
	for service, count := range small {
		require.LessOrEqual(t, count, runs/10, service)
	}
}
