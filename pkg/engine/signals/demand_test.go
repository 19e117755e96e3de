package signals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

var noon = enginetest.Noon

// counter is a series that grows so much a second, and from ten minutes before noon
// on by another amount; a negative one ends it.
func counter(before, after float64, name string, labels ...string) enginetest.Scraped {
	from, change, to := noon.Add(-time.Hour), noon.Add(-10*time.Minute), noon
	if after < 0 {
		to = change
	}
	return enginetest.Scraped{Labels: enginetest.Named(name, labels...), From: from, To: to, Every: 15 * time.Second, Value: func(at time.Time) float64 {
		sum := at.Sub(from).Seconds() * before
		if at.After(change) {
			sum += at.Sub(change).Seconds() * (after - before)
		}
		return sum
	}}
}

// valuesOf are the signal of a kind and name's begin, an hour ago and now; none
// where it does not exist.
func valuesOf(t *testing.T, kind string, all ...enginetest.Scraped) (name string, before, now float64) {
	t.Helper()
	server := enginetest.NewPromServer(all...)
	finder := signals.Finder{Sources: core.Sources{Metrics: server, Now: func() time.Time { return noon }}}
	signal, err := finder.Signal(t.Context(), "orders", kind, core.Window{From: noon.Add(-time.Hour), To: noon})
	require.NoError(t, err)
	set, err := server.QueryRange(t.Context(), signal.Expr, upstream.Range{Start: noon.Add(-20 * time.Minute), End: noon, Step: 20 * time.Minute})
	require.NoError(t, err)
	require.Len(t, set.Series, 1, signal.Expr)
	return signal.Name, set.Series[0].Values[0], set.Series[0].Values[1]
}

func TestShareOfCallsThatArrive(t *testing.T) {
	served := func(before, after float64) enginetest.Scraped {
		return counter(before, after, "http_server_request_duration_seconds_count", "service_name", "orders", "http_response_status_code", "200")
	}
	graph := func(before, after float64) enginetest.Scraped {
		return counter(before, after, "traces_service_graph_request_total", "client", "web", "server", "orders")
	}
	istio := func(reporter, code string, before, after float64) enginetest.Scraped {
		return counter(before, after, "istio_requests_total", "reporter", reporter, "response_code", code, "destination_canonical_service", "orders", "source_canonical_service", "web")
	}
	cases := map[string]struct {
		all         []enginetest.Scraped
		before, now float64
	}{
		"lost": {[]enginetest.Scraped{served(1000, 100), graph(1000, 1000)}, 1, 0.1},
		"less": {[]enginetest.Scraped{served(1000, 100), graph(1000, 100)}, 1, 1},
		"some callers count": {[]enginetest.Scraped{served(100, 60), counter(50, 50, "http_client_request_duration_seconds_count",
			"service_name", "web", "server_address", "orders.shop.svc.cluster.local")}, 2, 1.2},
		"Istio": {[]enginetest.Scraped{istio("source", "200", 100, 20), istio("source", "0", 0, 80), istio("destination", "200", 100, 20)}, 1, 0.2},
		"the ingress": {[]enginetest.Scraped{served(10, 1), counter(10, 1, "nginx_ingress_controller_requests", "exported_service", "orders", "status", "200"),
			counter(0, 9, "nginx_ingress_controller_requests", "exported_service", "orders", "status", "503")}, 1, 0.1},
		"nothing is left that counts": {[]enginetest.Scraped{served(10, -1), graph(10, 10),
			counter(0, 9, "traces_service_graph_request_failed_total", "client", "web", "server", "orders")}, 1, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, before, now := valuesOf(t, signals.Demand, c.all...)
			require.InDelta(t, c.before, before, 0.02)
			require.InDelta(t, c.now, now, 0.02)
		})
	}
}

// A service without callers that count has no such signal, and one of another name
// is none.
func TestDemandNeedsCallers(t *testing.T) {
	server := enginetest.NewPromServer(
		counter(10, 10, "http_server_request_duration_seconds_count", "service_name", "orders"),
		counter(10, 10, "traces_service_graph_request_total", "client", "web", "server", "orders-db"),
		counter(10, 10, "http_client_request_duration_seconds_count", "service_name", "web", "server_address", "orders2.svc"),
	)
	finder := signals.Finder{Sources: core.Sources{Metrics: server, Now: func() time.Time { return noon }}}
	_, err := finder.Signal(t.Context(), "orders", signals.Demand, core.Window{From: noon.Add(-time.Hour), To: noon})
	require.ErrorContains(t, err, "has no demand metric")
}

// A service graph that was switched on just now does not hide what callers have
// counted for days.
func TestNewSendersDoNotHideOlderOnes(t *testing.T) {
	since := func(from time.Time, name string, labels ...string) enginetest.Scraped {
		return enginetest.Scraped{
			Labels: enginetest.Named(name, labels...), From: from, To: noon, Every: time.Minute, Value: enginetest.Counter(from, 10),
		}
	}
	old, young := noon.Add(-24*time.Hour), noon.Add(-10*time.Minute)
	server := enginetest.NewPromServer(
		since(old, "http_server_request_duration_seconds_count", "service_name", "orders"),
		since(old, "http_client_request_duration_seconds_count", "service_name", "web", "server_address", "orders"),
		since(young, "traces_service_graph_request_total", "client", "web", "server", "orders"),
	)
	finder := signals.Finder{Sources: core.Sources{Metrics: server, Now: func() time.Time { return noon }}}
	signal, err := finder.Signal(t.Context(), "orders", signals.Demand, core.Window{From: noon.Add(-time.Hour), To: noon})
	require.NoError(t, err)
	require.Equal(t, "share of calls that arrive, of clients' metrics", signal.Name)
}
