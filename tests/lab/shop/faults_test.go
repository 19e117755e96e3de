package shop

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
)

// broken opens a shop in which a fault has been on for the given time, and
// returns it with the traces of the half minute after.
func broken(t *testing.T, fault string, since time.Duration) (*recorded, []tree) {
	t.Helper()
	r := open(t, 3, steady{1}, monday)
	if fault != "" {
		_, err := r.Break(fault, 1, -1)
		require.NoError(t, err)
	}
	r.run(since)
	return r, r.run(30 * time.Second)
}

func TestSlowQuery(t *testing.T) {
	statement := func(trees []tree, name string) time.Duration { return median(trees, Orders, name) }
	_, before := broken(t, "", time.Second)
	_, after := broken(t, SlowQuery, time.Second)
	ratio := float64(statement(after, "SELECT orders")) / float64(statement(before, "SELECT orders"))
	require.InDelta(t, 8, ratio, 1, "the statement")
	for _, other := range []string{"SELECT order_items", "INSERT orders"} {
		ratio := float64(statement(after, other)) / float64(statement(before, other))
		require.InDelta(t, 1, ratio, 0.15, other)
	}
	require.Greater(t, median(after, Web, "GET /account/orders"), median(before, Web, "GET /account/orders")+20*time.Millisecond)
}

func TestNPlusOne(t *testing.T) {
	calls := func(trees []tree) float64 {
		return float64(count(trees, Orders, "SELECT order_items")) / float64(count(trees, Orders, "GET /customers/{id}/orders"))
	}
	_, before := broken(t, "", time.Second)
	_, after := broken(t, NPlusOne, time.Second)
	require.InDelta(t, 1, calls(before), 0.01)
	require.InDelta(t, 10, calls(after), 1, "one per order")
	for _, tree := range after {
		texts := map[string]int{}
		for _, s := range tree.find(Orders, "SELECT order_items") {
			texts[text(s, "db.query.text")]++
		}
		for statement, times := range texts {
			require.LessOrEqual(t, times, 1, "each order is asked for once: %s", statement)
		}
	}
}

func TestErrorBurst(t *testing.T) {
	_, before := broken(t, "", time.Second)
	_, after := broken(t, ErrorBurst, time.Second)
	require.Less(t, failing(before, Web, "POST /checkout"), 0.02)
	require.InDelta(t, 0.4, failing(after, Web, "POST /checkout"), 0.15)
	require.InDelta(t, 0.4, failing(after, Payment, "shop.Payment/Charge"), 0.15)
	require.Less(t, failing(after, Web, "GET /"), 0.02, "only payments fail")
}

func TestPoolExhaustionIsGradual(t *testing.T) {
	r := open(t, 3, steady{1}, monday)
	_, err := r.Break(PoolExhaustion, 1, -1)
	require.NoError(t, err)
	used := func() float64 {
		return r.value("db.client.connection.count", Orders, attribute.String("db.client.connection.state", "used"))
	}

	early := r.run(time.Minute)
	require.Less(t, used(), 6.0)
	require.Less(t, count(early, Orders, "acquire connection"), 20, "next to nobody waits yet")
	require.Less(t, failing(early, Orders, "GET /customers/{id}/orders"), 0.01)

	halfway := r.run(4 * time.Minute)
	require.Less(t, failing(halfway, Orders, "GET /customers/{id}/orders"), 0.01, "no request fails while the pool fills")
	r.run(5 * time.Minute)
	late := r.run(time.Minute)
	require.Equal(t, 10.0, used(), "the pool is full")
	require.Positive(t, r.value("db.client.connection.pending_requests", Orders))
	require.Positive(t, r.value("db.client.connection.timeouts", Orders))
	require.Positive(t, count(late, Orders, "acquire connection"), "waits are spans")
	require.Greater(t, failing(late, Orders, "GET /customers/{id}/orders"), 0.1, "waits time out")
	require.Less(t, median(late, Orders, "SELECT orders"), 10*time.Millisecond, "the statement itself is as fast as ever")
	require.Less(t, failing(late, Catalog, "GET /products/{id}"), 0.01, "other pools are untouched")
}

func TestLostCache(t *testing.T) {
	r, before := broken(t, "", time.Second)
	ordinary := hitRatio(r)
	r, after := broken(t, LostCache, time.Second)
	require.InDelta(t, 0.93, ordinary, 0.04)
	require.Zero(t, hitRatio(r))
	reads := func(trees []tree) int { return count(trees, Catalog, "SELECT products") }
	require.Greater(t, reads(after), 5*reads(before), "misses go to the database")
	require.Greater(t, median(after, Catalog, "GET /products/featured"), median(before, Catalog, "GET /products/featured"))
}

func hitRatio(r *recorded) float64 {
	hits, misses := r.value("redis.keyspace.hits", Cache), r.value("redis.keyspace.misses", Cache)
	return hits / (hits + misses)
}

func TestRetryStorm(t *testing.T) {
	perCart := func(trees []tree) float64 {
		return float64(count(trees, Catalog, "shop.Catalog/GetProducts")) / float64(2*count(trees, Web, "GET /cart"))
	}
	_, before := broken(t, "", time.Second)
	_, after := broken(t, RetryStorm, time.Second)
	require.Greater(t, perCart(after), 1.7*perCart(before), "retries on two floors multiply")
	require.InDelta(t, 0.5, failing(after, Catalog, "shop.Catalog/GetProducts"), 0.15)

	resent := 0
	for _, tree := range after {
		for _, s := range tree.find(Web, "GET /products/{id}") {
			if text(s, "http.request.resend_count") == "" {
				continue
			}
			resent++
			siblings := tree.children[s.Parent().SpanID()]
			first := slices.IndexFunc(siblings, func(o span) bool { return o.Name() == s.Name() && o.SpanKind() == s.SpanKind() })
			require.Equal(t, codes.Error, siblings[first].Status().Code, "a retry follows a failure")
		}
	}
	require.Positive(t, resent)
}

func TestTrafficFaults(t *testing.T) {
	_, before := broken(t, "", time.Second)
	_, spike := broken(t, TrafficSpike, time.Second)
	_, drop := broken(t, TrafficDrop, time.Second)
	require.InDelta(t, 4, float64(len(spike))/float64(len(before)), 0.6)
	require.InDelta(t, 0.2, float64(len(drop))/float64(len(before)), 0.06)
	require.Greater(t, median(spike, Web, "GET /product/{id}"), median(before, Web, "GET /product/{id}"), "busy processors are slow")
}

func TestRampAndMend(t *testing.T) {
	r := open(t, 3, steady{1}, monday)
	fault, err := r.Break(SlowQuery, 2, 10*time.Second)
	require.NoError(t, err)
	require.InDelta(t, 1, fault.level(monday.Add(5*time.Second)), 1e-9)
	require.InDelta(t, 2, fault.level(monday.Add(time.Hour)), 1e-9)
	require.NoError(t, r.Mend(SlowQuery))
	require.ErrorContains(t, r.Mend(SlowQuery), "not on")
	_, err = r.Break("gremlins", 1, -1)
	require.ErrorContains(t, err, "traffic-drop", "the message lists what there is")
	_, err = r.Break(SlowQuery, -1, -1)
	require.ErrorContains(t, err, "severity")
}

func TestEveryFaultHasADescription(t *testing.T) {
	for name, fault := range Faults {
		require.Equal(t, name, fault.Name)
		require.NotEmpty(t, fault.Description)
	}
}

func median(trees []tree, service, name string) time.Duration {
	var all []time.Duration
	for _, tree := range trees {
		for _, s := range tree.find(service, name) {
			all = append(all, took(s))
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

// count is the number of spans of a service with this name.
func count(trees []tree, service, name string) (n int) {
	for _, tree := range trees {
		n += len(tree.find(service, name))
	}
	return n
}

func failing(trees []tree, service, name string) float64 {
	failed, all := 0, 0
	for _, tree := range trees {
		for _, s := range tree.find(service, name) {
			all++
			if s.Status().Code == codes.Error {
				failed++
			}
		}
	}
	return float64(failed) / float64(max(1, all))
}
