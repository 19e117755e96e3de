package pattern_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
)

// TestSaving checks what patterns cost on the critical path, in milliseconds
// that can be read off the fixtures.
func TestSaving(t *testing.T) {
	saved := func(kind pattern.Kind, build func(i int) step) float64 {
		return only(pattern.Detect(population(30, build), nil, pattern.Options{}), kind).Side.Saved / 1e6
	}
	loop := func(i int) []step { return after(source(i), inRow(6, 0.2, repeat(8, line)...)...) }
	require.InDelta(t, 7*6, saved(pattern.NPlusOne, func(i int) step { return page(loop(i)...) }), 1e-6,
		"eight statements of 6 ms become one")
	require.InDelta(t, 7*8, saved(pattern.NPlusOneRPC, func(i int) step {
		row := repeat(8, func(j int) step {
			return fetch("web", "catalog", "GET", "/items/{id}", fmt.Sprint("/items/", j), 0, 8, statement("catalog", fmt.Sprintf(orders, j), 1, 5))
		})
		return serve("web", "GET", "/", "/", 100, after(fetch("web", "orders", "GET", "/ids", "/ids", 1, 5), inRow(7, 0.1, row...)...)...)
	}), 1e-6, "with all that the calls wait for")
	require.InDelta(t, 0, saved(pattern.NPlusOne, func(i int) step {
		return page(within("orders", "apart", 0, 60, loop(i)...), fetch("orders", "tax", "GET", "/tax", "/tax", 0, 100))
	}), 1e-6, "a longer call runs meanwhile")
	require.InDelta(t, 40, saved(pattern.Serial, func(i int) step {
		return page(inRow(2, 0.5, statement("orders", "SELECT * FROM countries", 0, 40), statement("orders", "SELECT * FROM currencies", 0, 45))...)
	}), 1e-6, "the shorter one hides behind the longer one")
	require.InDelta(t, 58, saved(pattern.RetryStorm, func(i int) step {
		return serve("web", "GET", "/", "/", 100, failing(fetch("web", "pay", "POST", "/pay", "/pay", 2, 20)),
			fetch("web", "pay", "POST", "/pay", "/pay", 60, 20))
	}), 1e-6, "from the first attempt to the last")
	require.InDelta(t, 300, saved(pattern.SlowQuery, func(i int) step {
		return serve("orders", "GET", "/slow", "/slow", 900, statement("orders", listing, 10, 800))
	}), 1e-6, "what is beyond half a second")
}

// TestPopulation checks that a pattern of few traces is not reported.
func TestPopulation(t *testing.T) {
	some := func(with int) func(i int) step {
		return func(i int) step {
			if i < with {
				return page(after(source(i), inRow(6, 0.2, repeat(8, line)...)...)...)
			}
			return page(source(i))
		}
	}
	require.Empty(t, pattern.Detect(population(30, some(2)), nil, pattern.Options{}).Findings, "two traces")
	require.Len(t, pattern.Detect(population(30, some(3)), nil, pattern.Options{}).Findings, 1)
	require.Empty(t, pattern.Detect(population(100, some(4)), nil, pattern.Options{}).Findings, "4 %")
	found := pattern.Detect(population(100, some(5)), nil, pattern.Options{}).Findings
	require.Len(t, found, 1)
	require.InDelta(t, 0.05, found[0].Side.Share.Estimate, 1e-9)
	require.Less(t, found[0].Side.Share.Lower, 0.05)
	require.Empty(t, pattern.Detect(nil, nil, pattern.Options{}).Findings)
	require.Empty(t, pattern.Detect(make([]trace.Trace, 5), nil, pattern.Options{}).Findings)
}

// TestChange checks what is said of a deploy.
func TestChange(t *testing.T) {
	clean := func(i int) step { return page(source(i)) }
	loop := func(count int) func(i int) step {
		return func(i int) step { return page(after(source(i), inRow(6, 0.2, repeat(count, line)...)...)...) }
	}
	change := func(before, after func(i int) step) pattern.Change {
		found := pattern.Detect(population(40, after), population(40, before), pattern.Options{}).Findings
		require.Len(t, found, 1)
		return found[0].Change
	}
	require.Equal(t, pattern.Introduced, change(clean, loop(8)))
	require.Equal(t, pattern.Unchanged, change(loop(8), loop(8)))
	require.Equal(t, pattern.Grown, change(loop(6), loop(12)))
	require.Equal(t, pattern.Gone, change(loop(8), clean))

	few := pattern.Detect(population(40, loop(8)), population(10, clean), pattern.Options{}).Findings
	require.Equal(t, pattern.Unknown, few[0].Change, "ten traces do not show that a pattern is new")

	past := pattern.Detect(population(40, func(i int) step { return page(statement("orders", listing, 1, 60)) }),
		population(40, func(i int) step { return page(statement("orders", listing, 1, 12)) }), pattern.Options{})
	require.Equal(t, []string{"slow_query"}, kinds(past), "five times its usual duration")
	require.Equal(t, pattern.Introduced, past.Findings[0].Change)
	require.InDelta(t, 48, past.Findings[0].Side.Saved/1e6, 1e-6)
}

// TestLostCache checks both ways of losing a cache.
func TestLostCache(t *testing.T) {
	lookup := func(miss func(i int) bool, cached bool) func(i int) step {
		return func(i int) step {
			var row []step
			if cached {
				row = append(row, command("cart", fmt.Sprintf("GET cart:%d", i), 0, 1))
			}
			if miss(i) {
				row = append(row, statement("cart", fmt.Sprintf("SELECT * FROM carts WHERE id = %d", i), 0, 12))
			}
			return serve("cart", "GET", "/cart", "/cart", 40, inRow(1, 0.2, row...)...)
		}
	}
	rarely := lookup(func(i int) bool { return i%20 == 0 }, true)
	always := lookup(func(int) bool { return true }, true)
	removed := lookup(func(int) bool { return true }, false)
	for name, now := range map[string]func(i int) step{"misses": always, "not asked": removed} {
		found := pattern.Detect(population(60, now), population(60, rarely), pattern.Options{})
		require.Equal(t, []string{"lost_cache"}, kinds(found), name)
		require.Equal(t, pattern.Introduced, found.Findings[0].Change)
		require.InDelta(t, 12, found.Findings[0].Side.Saved/1e6, 1e-6)
	}
	require.Empty(t, pattern.Detect(population(60, rarely), population(60, rarely), pattern.Options{}).Findings)
	require.Empty(t, pattern.Detect(population(60, always), nil, pattern.Options{}).Findings, "a cold cache is no lost cache")
	require.Empty(t, pattern.Detect(population(60, removed), population(60, removed), pattern.Options{}).Findings)
}

// TestPayload checks that answers must grow and take longer.
func TestPayload(t *testing.T) {
	answer := func(size int, took float64) func(i int) step {
		return func(i int) step {
			s := fetch("web", "catalog", "GET", "/items", "/items", 2, took+float64(i%5))
			s.attributes = append(s.attributes, attributes("http.response.body.size", strconv.Itoa(size+i))...)
			return serve("web", "GET", "/", "/", 100, s)
		}
	}
	small, large := population(40, answer(20_000, 20)), population(40, answer(90_000, 45))
	found := pattern.Detect(large, small, pattern.Options{})
	require.Equal(t, []string{"payload_growth"}, kinds(found))
	require.Equal(t, pattern.Introduced, found.Findings[0].Change)
	require.InDelta(t, 25, found.Findings[0].Side.Saved/1e6, 0.5)
	require.Empty(t, pattern.Detect(population(40, answer(90_000, 20)), small, pattern.Options{}).Findings, "as fast as before")
	require.Empty(t, pattern.Detect(population(40, answer(30_000, 45)), small, pattern.Options{}).Findings, "half as large again")
}
