package fleet_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/fleet"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/incident"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// server is a Prometheus that holds span metrics and a service graph, one query at
// a time.
type server struct {
	*enginetest.PromServer
	mu      sync.Mutex
	queries []string
	more    []string // further metrics
}

func (s *server) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, promQL)
	return s.PromServer.QueryRange(ctx, promQL, window)
}

func (s *server) LabelValues(_ context.Context, label string, _ []string, _, _ time.Time) ([]string, []string, error) {
	if label != "__name__" {
		return nil, nil, nil
	}
	return append([]string{"traces_spanmetrics_calls_total", "traces_service_graph_request_total"}, s.more...), nil, nil
}

var noon = enginetest.Noon

// shop is web → orders → payment → db, of which only the service graph knows db.
// From an instant on a fifth of payment's requests fail, and because of that
// those of its callers.
func shop(broken time.Time) *server {
	from := noon.Add(-8 * time.Hour)
	var all []enginetest.Scraped
	add := func(perSecond, after float64, labels ...string) {
		set := map[string]string{}
		for i := 0; i < len(labels); i += 2 {
			set[labels[i]] = labels[i+1]
		}
		all = append(all, enginetest.Scraped{Labels: set, From: from, To: noon, Every: 15 * time.Second, Value: func(at time.Time) float64 {
			sum := at.Sub(from).Seconds() * perSecond
			if at.After(broken) {
				sum += at.Sub(broken).Seconds() * (after - perSecond)
			}
			return sum
		}})
	}
	for _, name := range []string{"web", "orders", "payment", "search"} {
		well, failing := 10.0, 2.0
		if name == "search" {
			failing = 0
		}
		const calls, kind = "traces_spanmetrics_calls_total", "SPAN_KIND_SERVER"
		add(well, well-failing, "__name__", calls, "service", name, "span_kind", kind, "status_code", "STATUS_CODE_UNSET")
		add(0, failing, "__name__", calls, "service", name, "span_kind", kind, "status_code", "STATUS_CODE_ERROR")
		add(well, well, "__name__", "traces_spanmetrics_latency_count", "service", name, "span_kind", kind)
		add(well*0.1, well*0.1, "__name__", "traces_spanmetrics_latency_sum", "service", name, "span_kind", kind)
	}
	for _, call := range [][2]string{{"web", "orders"}, {"orders", "payment"}, {"payment", "db"}} {
		for _, metric := range []string{"traces_service_graph_request_total", "traces_service_graph_request_server_seconds_count"} {
			add(10, 10, "__name__", metric, "client", call[0], "server", call[1])
		}
		add(1, 1, "__name__", "traces_service_graph_request_server_seconds_sum", "client", call[0], "server", call[1])
	}
	return &server{PromServer: enginetest.NewPromServer(all...)}
}

func watcher(s *server, logs ...deploys.Log) fleet.Watcher {
	sources := core.Sources{Metrics: s, Now: func() time.Time { return noon }}
	return fleet.Watcher{Sources: sources, Signals: signals.Finder{Sources: sources}, Deploys: deploys.Detector{Sources: sources, Logs: logs}}
}

var window = core.Window{From: noon.Add(-time.Hour), To: noon}

func TestOneIncidentFromMetrics(t *testing.T) {
	s := shop(noon.Add(-20 * time.Minute))
	answer, err := watcher(s).Incidents(t.Context(), query.Incidents{}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, answer.Incidents, 1, answer.Notices)
	one := answer.Incidents[0]
	require.Equal(t, "payment", one.Deepest)
	require.Equal(t, incident.Active, one.State)
	require.WithinDuration(t, noon.Add(-20*time.Minute), answer.Time(one.Start), 2*time.Minute)
	require.Len(t, one.Members, 3)
	require.Equal(t, 5, answer.Services)
	require.NotEmpty(t, answer.Queries)

	q := query.Incidents{Services: "^sea"}.WithDefaults()
	answer, err = watcher(s).Incidents(t.Context(), q, window)
	require.NoError(t, err)
	require.Empty(t, answer.Incidents)
}

func TestQuietFleetIsCheap(t *testing.T) {
	s := shop(noon.Add(time.Hour))
	answer, err := watcher(s).Incidents(t.Context(), query.Incidents{}.WithDefaults(), window)
	require.NoError(t, err)
	require.Empty(t, answer.Incidents)
	require.LessOrEqual(t, len(answer.Queries), signals.MaxFleetQueries)
	require.LessOrEqual(t, len(s.queries), 2*signals.MaxFleetQueries+2, "each in two parts, and two for the scrape intervals")
	require.False(t, slices.ContainsFunc(s.queries, func(q string) bool { return strings.Contains(q, "version") }), "nothing is asked of deploys")
	for _, q := range s.queries {
		require.NotContains(t, q, `"payment"`, "no query is about one service")
	}
}

// announcements is a log of deploys.
type announcements []annotation.Deploy

func (a announcements) Read(context.Context, time.Time, time.Time) ([]annotation.Deploy, []string, error) {
	return a, nil, nil
}

func TestDeployIsSuspected(t *testing.T) {
	broken := noon.Add(-20 * time.Minute)
	w := watcher(shop(broken), deploys.Log{Source: deploys.FromAnnotation, Deploys: announcements{
		{Service: "payment", Version: "2.0", At: broken.Add(-2 * time.Minute)}, {Service: "search", Version: "7", At: broken},
	}})
	answer, err := w.Incidents(t.Context(), query.Incidents{}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, answer.Incidents, 1)
	require.Equal(t, incident.CauseChange, answer.Incidents[0].Cause.Kind)
	require.Contains(t, answer.Incidents[0].Cause.Text, "2.0")
}

// A trace store's span metrics were switched on half an hour ago; the services'
// own metrics are older, and tell.
func TestNewSpanMetricsDoNotHideOlderOnes(t *testing.T) {
	broken := noon.Add(-20 * time.Minute)
	var all []enginetest.Scraped
	add := func(from time.Time, well, after float64, labels map[string]string) {
		all = append(all, enginetest.Scraped{Labels: labels, From: from, To: noon, Every: 15 * time.Second, Value: func(at time.Time) float64 {
			sum := at.Sub(from).Seconds() * well
			if at.After(broken) {
				sum += at.Sub(broken).Seconds() * (after - well)
			}
			return sum
		}})
	}
	long, short := noon.Add(-8*time.Hour), noon.Add(-30*time.Minute)
	const requests = "http_server_request_duration_seconds_count"
	add(long, 10, 8, map[string]string{"__name__": requests, "service_name": "payment", "http_response_status_code": "200"})
	add(long, 0, 2, map[string]string{"__name__": requests, "service_name": "payment", "http_response_status_code": "500"})
	add(long, 1, 1, map[string]string{"__name__": "http_server_request_duration_seconds_sum", "service_name": "payment"})
	spans := map[string]string{"__name__": "traces_spanmetrics_calls_total", "service": "payment", "span_kind": "SPAN_KIND_SERVER", "status_code": "STATUS_CODE_UNSET"}
	add(short, 10, 10, spans)
	s := &server{PromServer: enginetest.NewPromServer(all...), more: []string{requests}}
	answer, err := watcher(s).Incidents(t.Context(), query.Incidents{}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, answer.Incidents, 1, answer.Remarks)
	require.Equal(t, "payment", answer.Incidents[0].Deepest)
}

func TestNoMetrics(t *testing.T) {
	_, err := fleet.Watcher{}.Incidents(t.Context(), query.Incidents{}.WithDefaults(), window)
	require.ErrorIs(t, err, core.ErrNoMetrics)
}

// What the service graph counts as sent, and span metrics as served, tells lost
// demand; nothing more is asked for it.
func TestLostDemandFromMetrics(t *testing.T) {
	s := shop(noon.Add(time.Hour))
	quiet, err := watcher(s).Incidents(t.Context(), query.Incidents{}.WithDefaults(), window)
	require.NoError(t, err)

	s = shopThatLoses(noon.Add(-20 * time.Minute))
	answer, err := watcher(s).Incidents(t.Context(), query.Incidents{}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, answer.Incidents, 1, answer.Notices)
	one := answer.Incidents[0]
	require.Equal(t, "payment", one.Deepest)
	require.Equal(t, incident.CauseDemand, one.Cause.Kind, "%+v", one.Cause)
	require.Len(t, answer.Queries, len(quiet.Queries)+1, "deploys are looked up, and nothing else")
}

// shopThatLoses is the shop, most of whose requests to payment fail before they
// arrive.
func shopThatLoses(broken time.Time) *server {
	s := shop(noon.Add(time.Hour))
	from := noon.Add(-8 * time.Hour)
	late := func(rate float64) func(time.Time) float64 {
		return func(at time.Time) float64 { return rate * max(0, at.Sub(broken).Seconds()) }
	}
	served := func(at time.Time) float64 {
		return 10*min(at.Sub(from).Seconds(), broken.Sub(from).Seconds()) + late(1)(at)
	}
	s.PromServer = s.With(
		enginetest.Scraped{Labels: enginetest.Named("traces_spanmetrics_calls_total", "service", "payment", "span_kind", "SPAN_KIND_SERVER", "status_code", "STATUS_CODE_UNSET"), From: from, To: noon, Every: 15 * time.Second, Value: served},
		enginetest.Scraped{Labels: enginetest.Named("traces_spanmetrics_latency_count", "service", "payment", "span_kind", "SPAN_KIND_SERVER"), From: from, To: noon, Every: 15 * time.Second, Value: served},
		enginetest.Scraped{Labels: enginetest.Named("traces_service_graph_request_failed_total", "client", "orders", "server", "payment"), From: from, To: noon, Every: 15 * time.Second, Value: late(9)},
	)
	return s
}
