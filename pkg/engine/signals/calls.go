package signals

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// callMetrics are metrics under well-known names that count, for pairs of
// services or for single ones, requests, failed requests and their seconds. In a
// selector, $r is the window of an increase.
type callMetrics struct {
	about string // for people
	// metric must exist.
	metric string
	// client and server are the labels of the two services; client is empty for
	// metrics of one service.
	client, server string
	// requests and failed count; sum and count are of durations, so many of which
	// are a second.
	requests, failed, sum, count string
	perSecond                    float64
	// sent says that the side that calls counts, whether the calls arrive or not.
	sent bool
}

// onlySent tells whether the metric says nothing of what arrives, nor who calls.
func (m callMetrics) onlySent() bool { return m.sent && m.client == "" }

// callSources are service graphs of Tempo, Alloy, Beyla and OBI, which share
// their names, of Istio and of Linkerd, and the client metrics of OpenTelemetry.
// All that exist are joined: of a call that several know, the first tells.
var callSources = slices.Concat(graphCalls(), meshCalls, clientCalls())

func graphCalls() (all []callMetrics) {
	for _, h := range wellknown.GraphDurations {
		all = append(all, callMetrics{
			"the service graph", wellknown.GraphRequests, "client", "server",
			wellknown.GraphRequests, wellknown.GraphFailed, h.Sum(), h.Count(), 1 / h.Unit, true,
		})
	}
	return all
}

var meshCalls = []callMetrics{
	{
		"Istio", "istio_requests_total", "source_canonical_service", "destination_canonical_service",
		`istio_requests_total{reporter="destination"}`, `istio_requests_total{reporter="destination", response_code=~"5..|0"}`,
		`istio_request_duration_milliseconds_sum{reporter="destination"}`, `istio_request_duration_milliseconds_count{reporter="destination"}`, 1000, false,
	},
	{
		"Istio", "istio_requests_total", "source_canonical_service", "destination_canonical_service",
		`istio_requests_total{reporter="source"}`, `istio_requests_total{reporter="source", response_code=~"5..|0"}`,
		`istio_request_duration_milliseconds_sum{reporter="source"}`, `istio_request_duration_milliseconds_count{reporter="source"}`, 1000, true,
	},
	{
		"Linkerd", "response_total", "deployment", "dst_deployment",
		`response_total{direction="outbound", dst_deployment!=""}`, `response_total{direction="outbound", dst_deployment!="", classification="failure"}`,
		`response_latency_ms_sum{direction="outbound", dst_deployment!=""}`, `response_latency_ms_count{direction="outbound", dst_deployment!=""}`, 1000, true,
	},
}

func clientCalls() (all []callMetrics) {
	for _, c := range wellknown.Sent {
		for _, peer := range c.Peers {
			named := peer + `!=""`
			count := withMatcher(c.Count(), named)
			all = append(all, callMetrics{
				"clients' metrics", c.Count(), "job", peer,
				count, withMatcher(count, c.Failed), withMatcher(c.Sum(), named), count, 1 / c.Unit, true,
			})
		}
	}
	return all
}

// servedSources are what services measure of themselves, the first of which that
// knows a service tells.
var servedSources = slices.Concat(served(), spansServed(), meshServed)

// meshServed is what Linkerd's proxies count beside the server.
var meshServed = []callMetrics{{
	"Linkerd", "response_total", "", "deployment",
	`response_total{direction="inbound"}`, `response_total{direction="inbound", classification="failure"}`,
	`response_latency_ms_sum{direction="inbound"}`, `response_latency_ms_count{direction="inbound"}`, 1000, false,
}}

// gatewaySources are ingresses and proxies: what they pass on to services.
var gatewaySources = gatewayCalls()

func gatewayCalls() (all []callMetrics) {
	for _, g := range wellknown.Gateways {
		named := withMatcher(g.Requests, g.Service+`!=""`)
		all = append(all, callMetrics{
			about: g.About, metric: g.Requests, server: g.Service, requests: named, failed: withMatcher(named, g.Failed), sent: true,
		})
	}
	return all
}

func served() (all []callMetrics) {
	for _, r := range wellknown.Served {
		for _, label := range []string{"service_name", "job"} {
			all = append(all, callMetrics{
				"servers' metrics", r.Count(), "", label,
				r.Count(), withMatcher(r.Count(), r.Failed), r.Sum(), r.Count(), 1 / r.Unit, false,
			})
		}
	}
	return all
}

func spansServed() (all []callMetrics) {
	for _, m := range wellknown.SpanMetrics {
		calls := withMatcher(m.Calls, wellknown.ServedSpans)
		all = append(all, callMetrics{
			"span metrics", m.Calls, "", m.Label, calls, withMatcher(calls, wellknown.FailedSpans),
			withMatcher(m.Duration.Sum(), wellknown.ServedSpans), withMatcher(m.Duration.Count(), wellknown.ServedSpans), 1 / m.Duration.Unit, false,
		})
	}
	return all
}

// promQL are the four questions of a source.
func (m callMetrics) promQL(window time.Duration) [4]string {
	labels := m.server
	if m.client != "" {
		labels = m.client + ", " + m.server
	}
	var queries [4]string
	for i, selector := range []string{m.requests, m.failed, m.sum, m.count} {
		queries[i] = fmt.Sprintf("sum by (%s) (increase(%s[%ds]))", labels, selector, int(window.Seconds()))
	}
	return queries
}

const (
	// maxGraphServices and maxGraphCalls bound the graph.
	maxGraphServices, maxGraphCalls = 1000, 20_000
)

// Graph is who calls whom, with the metrics of all, on one grid.
type Graph struct {
	Services []propagation.Service
	Calls    []propagation.Call
	Sources  []string // where it was read from, for people
	// Peers are what only callers measure, such as databases. Only of all services
	// together.
	Peers map[string]bool
	// Sent is what callers count of the requests to services, where that is another
	// metric than the services' own. Only of all services together.
	Sent map[string]Sent
}

// Sent is what callers count of the requests to a service, by step: their number,
// and the share of them that failed for the caller.
type Sent struct{ Requests, Failed []float64 }

// tally is what was counted of a call or a service, by step; nil where nothing
// was.
type tally struct{ requests, failed, seconds, timed []float64 }

// CallGraph reads the dependency graph from every kind of metric that there is.
func (e Finder) CallGraph(ctx context.Context, window upstream.Range, basis *core.Provenance) (Graph, error) {
	if e.Metrics == nil {
		return Graph{}, core.ErrNoMetrics
	}
	sources := slices.Concat(callSources, servedSources)
	existing, err := e.existing(ctx, sources, window)
	if err != nil {
		return Graph{}, err
	}
	type answer struct {
		source  callMetrics
		tallies map[[2]string]*tally
	}
	answers := make([]answer, len(sources))
	group, groupContext := parallel.WithContext(ctx)
	for i, source := range sources {
		if existing[source.metric] {
			group.Go(func() (err error) {
				answers[i].source = source
				answers[i].tallies, err = e.tallies(groupContext, source, window)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return Graph{}, err
	}
	b := graphBuilder{points: window.Points(), calls: map[[2]string]*tally{}, served: map[string]*tally{}, own: map[string]bool{}}
	for _, a := range answers {
		if len(a.tallies) == 0 {
			continue
		}
		if !slices.Contains(b.sources, a.source.about) {
			b.sources = append(b.sources, a.source.about)
		}
		basis.AddQuery("%s", a.source.promQL(window.Step)[0])
		b.add(a.source, a.tallies)
	}
	return b.graph(basis), nil
}

// existing are the metrics of sources that there are.
func (e Finder) existing(ctx context.Context, sources []callMetrics, window upstream.Range) (map[string]bool, error) {
	var names []string
	for _, s := range sources {
		names = append(names, s.metric)
	}
	slices.Sort(names)
	selector := `{__name__=~"` + strings.Join(slices.Compact(names), "|") + `"}`
	from, to := core.Hourly(core.Window{From: window.Start, To: window.End})
	found, _, err := e.Metrics.LabelValues(ctx, "__name__", []string{selector}, from, to)
	existing := map[string]bool{}
	for _, name := range found {
		existing[name] = true
	}
	return existing, err
}

func (e Finder) tallies(ctx context.Context, source callMetrics, window upstream.Range) (map[[2]string]*tally, error) {
	tallies := map[[2]string]*tally{}
	queries := source.promQL(window.Step)
	sets := make([]upstream.SeriesSet, len(queries))
	group, ctx := parallel.WithContext(ctx)
	for i, promQL := range queries {
		group.Go(func() (err error) {
			sets[i], err = e.Metrics.QueryRange(ctx, promQL, window)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, set := range sets {
		for _, one := range set.Series {
			key := [2]string{"", serviceName(one.Labels[source.server])}
			if source.client != "" {
				key[0] = serviceName(one.Labels[source.client])
			}
			if key[1] == "" || source.client != "" && key[0] == "" {
				continue
			}
			t := tallies[key]
			if t == nil {
				t = &tally{}
				tallies[key] = t
			}
			values := []*[]float64{&t.requests, &t.failed, &t.seconds, &t.timed}[i]
			*values = plus(*values, one.Values)
			if i == 2 && source.perSecond != 1 {
				for j := range *values {
					(*values)[j] /= source.perSecond
				}
			}
		}
	}
	return tallies, nil
}

// serviceName is the name of a service in a label: the last part of a job
// "namespace/name", the first of a host "name.namespace.svc".
func serviceName(value string) string {
	value = value[strings.LastIndexByte(value, '/')+1:]
	if name, rest, is := strings.Cut(value, "."); is && strings.Contains("."+rest+".", ".svc.") {
		return name
	}
	return value
}

// plus adds values; missing ones count as none where the other side has some.
func plus(sum, values []float64) []float64 {
	if sum == nil {
		return slices.Clone(values)
	}
	for i := range min(len(sum), len(values)) {
		switch {
		case math.IsNaN(values[i]):
		case math.IsNaN(sum[i]):
			sum[i] = values[i]
		default:
			sum[i] += values[i]
		}
	}
	return sum
}
