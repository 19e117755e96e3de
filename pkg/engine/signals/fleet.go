package signals

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

const (
	// MaxFleetQueries bounds the range queries that all services together take,
	// each of which is sent in two parts: the older one is remembered for an hour.
	MaxFleetQueries = 18
	// callStep is the resolution, in steps, of who calls whom.
	callStep = 10
	// maxFleetServices bounds the services.
	maxFleetServices = 5000
)

// counted is what a query counts.
type counted int

const (
	countRequests counted = iota
	countFailed
	countSeconds
	countTimed // requests whose seconds are counted
	countCalls // requests by caller
)

// fleetQuery is one query over all services, and what it counts for which sources.
type fleetQuery struct {
	promQL string
	grid   upstream.Range
	uses   []use
}

type use struct {
	source callMetrics
	counts counted
}

// Fleet reads requests, failures and latencies of every service, and who calls
// whom, with one query for each signal of each kind of metric that there is. The
// begin of the grid must be a full hour.
func (e Finder) Fleet(ctx context.Context, grid upstream.Range, basis *core.Provenance) (Graph, error) {
	sources := fleetSources()
	existing, err := e.existing(ctx, sources, grid)
	if err != nil {
		return Graph{}, err
	}
	sources = slices.DeleteFunc(sources, func(m callMetrics) bool { return !existing[m.metric] })
	queries := fleetQueries(sources, grid, basis)
	sets := make([]upstream.SeriesSet, len(queries))
	group, groupContext := parallel.WithContext(ctx)
	for i, q := range queries {
		group.Go(func() (err error) {
			sets[i], err = e.inParts(groupContext, q.promQL, q.grid)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Graph{}, err
	}
	b := graphBuilder{
		points: grid.Points(), calls: map[[2]string]*tally{}, served: map[string]*tally{}, own: map[string]bool{},
		by: map[string]callMetrics{}, sent: map[string]*tally{}, peers: map[string]bool{},
	}
	for i, q := range queries {
		basis.AddQuery("%s [%s to %s, step %s]", q.promQL, core.FormatTime(q.grid.Start), core.FormatTime(q.grid.End), q.grid.Step)
		basis.AddNotice(sets[i].Warnings...)
		if about := q.uses[0].source.about; len(sets[i].Series) > 0 && !slices.Contains(b.sources, about) {
			b.sources = append(b.sources, about)
		}
	}
	b.addFleet(sources, queries, sets)
	return b.fleet(basis), nil
}

// fleetSources are all kinds of metrics once: what services measure of themselves,
// and then who calls whom.
func fleetSources() (all []callMetrics) {
	for _, m := range slices.Concat(servedSources, callSources, gatewaySources) {
		same := func(o callMetrics) bool {
			return o.metric == m.metric && o.sum == m.sum && o.requests == m.requests && (o.client == "") == (m.client == "") && (!m.onlySent() || o.server == m.server)
		}
		if !slices.ContainsFunc(all, same) {
			all = append(all, m)
		}
	}
	return all
}

// fleetQueries are the queries of the sources, as far as they are allowed.
func fleetQueries(sources []callMetrics, grid upstream.Range, basis *core.Provenance) (queries []fleetQuery) {
	coarse := upstream.Range{Start: grid.Start, End: core.Floor(grid.End, callStep*grid.Step), Step: callStep * grid.Step}
	if remainder := coarse.End.Sub(coarse.Start) % coarse.Step; remainder != 0 {
		coarse.End = coarse.End.Add(-remainder)
	}
	var left []string
	for _, m := range sources {
		labels := m.server
		if m.client == "" && m.server == "service_name" {
			labels = "service_name, job" // whichever there is
		}
		increase := func(selector, by string, step time.Duration) string {
			return fmt.Sprintf("sum by (%s) (increase(%s[%ds]))", by, selector, int(step.Seconds()))
		}
		requests := labels
		if m.metric == wellknown.GraphRequests {
			requests += ", " + wellknown.ConnectionType
		}
		own := []fleetQuery{
			{increase(m.requests, requests, grid.Step), grid, []use{{m, countRequests}}},
			{increase(m.failed, labels, grid.Step), grid, []use{{m, countFailed}}},
		}
		if !m.onlySent() {
			own = append(own,
				fleetQuery{increase(m.sum, labels, grid.Step), grid, []use{{m, countSeconds}}},
				fleetQuery{increase(m.count, labels, grid.Step), grid, []use{{m, countTimed}}})
		}
		if m.client != "" {
			own = append(own, fleetQuery{increase(m.requests, m.client+", "+m.server, coarse.Step), coarse, []use{{m, countCalls}}})
		}
		together := slices.Clone(queries)
		for _, q := range own {
			together = withQuery(together, q)
		}
		if len(together) > MaxFleetQueries {
			left = append(left, m.metric)
			continue
		}
		queries = together
	}
	if len(left) > 0 {
		basis.AddRemark(fmt.Sprintf("All services together are asked with at most %d queries; %s were not read.", MaxFleetQueries, core.List(slices.Compact(left))))
	}
	return queries
}

// withQuery adds a query; equal ones are sent once.
func withQuery(queries []fleetQuery, q fleetQuery) []fleetQuery {
	for i, known := range queries {
		if known.promQL == q.promQL {
			queries[i].uses = slices.Concat(known.uses, q.uses)
			return queries
		}
	}
	return append(queries, q)
}

// inParts asks for the full hours, which stay the same and are remembered, and for
// the rest.
func (e Finder) inParts(ctx context.Context, promQL string, grid upstream.Range) (upstream.SeriesSet, error) {
	split := core.Floor(grid.End, time.Hour)
	if remainder := split.Sub(grid.Start) % grid.Step; remainder != 0 {
		split = split.Add(-remainder)
	}
	if !split.After(grid.Start) {
		return e.Metrics.QueryRange(ctx, promQL, grid)
	}
	older, err := e.Metrics.QueryRange(ctx, promQL, upstream.Range{Start: grid.Start, End: split, Step: grid.Step})
	if err != nil || !grid.End.After(split) {
		return older, err
	}
	newer, err := e.Metrics.QueryRange(ctx, promQL, upstream.Range{Start: split.Add(grid.Step), End: grid.End, Step: grid.Step})
	if err != nil {
		return newer, err
	}
	return joinParts(older, newer, grid), nil
}

// joinParts is both parts of each series as one.
func joinParts(older, newer upstream.SeriesSet, grid upstream.Range) upstream.SeriesSet {
	points := grid.Points()
	joined := upstream.SeriesSet{Warnings: append(slices.Clone(older.Warnings), newer.Warnings...)}
	at := map[string]int{}
	for _, set := range []upstream.SeriesSet{older, newer} {
		for _, one := range set.Series {
			key := one.Labels.String()
			i, known := at[key]
			if !known {
				i = len(joined.Series)
				at[key] = i
				whole := one
				whole.Start, whole.Step, whole.Values = grid.Start, grid.Step, padded(nil, points)
				joined.Series = append(joined.Series, whole)
			}
			if offset := int(one.Start.Sub(grid.Start) / grid.Step); offset >= 0 && offset < points {
				copy(joined.Series[i].Values[offset:], one.Values)
			}
		}
	}
	return joined
}

// longer is how many times as many samples make a later kind of metric tell of a
// service: the first may have been switched on just now.
const longer = 2

// addFleet sorts what was counted by service: of those that several kinds of
// metrics know, the first tells, unless a later one has far more history.
func (b *graphBuilder) addFleet(sources []callMetrics, queries []fleetQuery, sets []upstream.SeriesSet) {
	for _, m := range sources {
		tallies := map[string]*tally{}
		for i, q := range queries {
			for _, u := range q.uses {
				if u.source == m {
					b.addSet(u, sets[i], tallies)
				}
			}
		}
		for name, t := range tallies {
			if !m.onlySent() && (!b.own[name] || t.observed() > longer*b.served[name].observed()) {
				b.served[name], b.own[name], b.by[name] = t, true, m
			}
			// What callers count says something beside what is counted elsewhere.
			if m.sent && b.sent[name] == nil && b.own[name] && b.by[name].requests != m.requests {
				b.sent[name] = t
			}
		}
	}
}

func (b *graphBuilder) addSet(u use, set upstream.SeriesSet, tallies map[string]*tally) {
	for _, one := range set.Series {
		name := serviceName(one.Labels[u.source.server])
		if name == "" && u.source.client == "" {
			name = serviceName(one.Labels["job"])
		}
		switch {
		case name == "":
		case u.counts == countCalls:
			b.addCalls(name, one.Labels[u.source.client], one.Values)
		default:
			if tallies[name] == nil {
				tallies[name] = &tally{}
			}
			tallies[name].count(u, one.Values)
			if kind := one.Labels[wellknown.ConnectionType]; kind == "database" || kind == "virtual_node" {
				b.peers[name] = true
			}
		}
	}
}

// observed is how many steps have requests.
func (t *tally) observed() int { return series.Series{Values: t.requests}.Observed() }

func (t *tally) count(u use, values []float64) {
	switch u.counts {
	case countRequests:
		t.requests = plus(t.requests, values)
	case countFailed:
		t.failed = plus(t.failed, values)
	case countTimed:
		t.timed = plus(t.timed, values)
	case countSeconds:
		scaled := slices.Clone(values)
		for i := range scaled {
			scaled[i] /= u.source.perSecond
		}
		t.seconds = plus(t.seconds, scaled)
	}
}

// addCalls notes the requests of a call, spread over the steps.
func (b *graphBuilder) addCalls(server, client string, coarse []float64) {
	key := [2]string{serviceName(client), server}
	if key[0] == "" || b.calls[key] != nil {
		return
	}
	values := padded(nil, b.points)
	for i := range values {
		if k := (i + callStep - 1) / callStep; k < len(coarse) {
			values[i] = coarse[k] / callStep
		}
	}
	b.calls[key] = &tally{requests: values}
}

// fleet is the services by name, and the calls, the busiest first.
func (b *graphBuilder) fleet(basis *core.Provenance) Graph {
	b.maxServices = maxFleetServices
	g := b.graph(basis)
	g.Sent, g.Peers = map[string]Sent{}, map[string]bool{}
	for name := range b.peers {
		g.Peers[name] = b.by[name].client != "" // and no metric of its own
	}
	for name, t := range b.sent {
		g.Sent[name] = Sent{Requests: padded(t.requests, b.points), Failed: share(t.failed, t.requests, b.points)}
	}
	// Callees that nothing measures have no series at all.
	for i := range g.Services {
		if s := &g.Services[i]; !b.own[s.Name] {
			s.Requests, s.Latency, s.Failed = nil, nil, nil
		}
	}
	return g
}

// FleetMetric is a metric that all services together are read from, to learn how
// often it is scraped; empty where there is none.
func (e Finder) FleetMetric(ctx context.Context, window core.Window) (string, error) {
	sources := fleetSources()
	existing, err := e.existing(ctx, sources, upstream.Range{Start: window.From, End: window.To, Step: core.MinStep})
	if err != nil {
		return "", err
	}
	for _, m := range sources {
		if existing[m.metric] {
			return m.metric, nil
		}
	}
	return "", nil
}
