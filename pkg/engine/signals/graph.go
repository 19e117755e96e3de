package signals

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// graphBuilder joins what several sources know.
type graphBuilder struct {
	points  int
	calls   map[[2]string]*tally
	served  map[string]*tally      // of services, as they or their callers count
	by      map[string]callMetrics // the source of served
	sent    map[string]*tally      // to services, as their callers count
	own     map[string]bool        // services that count for themselves
	peers   map[string]bool        // servers of a service graph that are no services
	sources []string
	// maxServices is maxGraphServices where it is 0.
	maxServices int
}

func (b *graphBuilder) add(source callMetrics, tallies map[[2]string]*tally) {
	for key, t := range tallies {
		if source.client == "" {
			if !b.own[key[1]] {
				b.served[key[1]], b.own[key[1]] = t, true
			}
			continue
		}
		known := b.calls[key]
		switch {
		case known == nil:
			b.calls[key] = t
		case total(known.seconds) <= 0 && total(t.seconds) > 0:
			// A virtual node has no server that measures: its clients do.
			known.seconds, known.timed = t.seconds, t.timed
		}
	}
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += core.Count(v)
	}
	return sum
}

func (b *graphBuilder) graph(basis *core.Provenance) Graph {
	keys := make([][2]string, 0, len(b.calls))
	for key := range b.calls {
		keys = append(keys, key)
	}
	// The busiest first, so that a bound cuts off the least.
	volumes := make(map[[2]string]float64, len(keys))
	for _, key := range keys {
		volumes[key] = total(b.calls[key].requests)
	}
	slices.SortFunc(keys, func(x, y [2]string) int {
		return cmp.Or(cmp.Compare(volumes[y], volumes[x]), cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]))
	})
	if len(keys) > maxGraphCalls {
		basis.AddNotice(fmt.Sprintf("Only the %d busiest of %d calls are considered.", maxGraphCalls, len(keys)))
		keys = keys[:maxGraphCalls]
	}
	g := Graph{Sources: b.sources}
	names := map[string]bool{}
	incoming := map[string]*tally{}
	for _, key := range keys {
		t := b.calls[key]
		names[key[0]], names[key[1]] = true, true
		g.Calls = append(g.Calls, propagation.Call{Caller: key[0], Callee: key[1], Requests: padded(t.requests, b.points)})
		into := incoming[key[1]]
		if into == nil {
			into = &tally{}
			incoming[key[1]] = into
		}
		into.requests, into.failed = plus(into.requests, t.requests), plus(into.failed, t.failed)
		into.seconds, into.timed = plus(into.seconds, t.seconds), plus(into.timed, t.timed)
	}
	for name := range b.served {
		names[name] = true
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	if most := cmp.Or(b.maxServices, maxGraphServices); len(sorted) > most {
		basis.AddNotice(fmt.Sprintf("Only %d of %d services are considered.", most, len(sorted)))
		sorted = sorted[:most]
	}
	for _, name := range sorted {
		t := b.served[name]
		if t == nil {
			t = incoming[name]
		}
		if t == nil {
			t = &tally{}
		}
		g.Services = append(g.Services, propagation.Service{
			Name: name, Requests: padded(t.requests, b.points),
			Latency: ratio(t.seconds, t.timed, b.points), Failed: share(t.failed, t.requests, b.points),
		})
	}
	return g
}

func padded(values []float64, points int) []float64 {
	whole := series.Missing(points)
	copy(whole, values)
	return whole
}

func ratio(sums, counts []float64, points int) []float64 {
	ratios := make([]float64, points)
	for i := range ratios {
		ratios[i] = math.NaN()
		if i < len(sums) && i < len(counts) && counts[i] > 0 {
			ratios[i] = sums[i] / counts[i]
		}
	}
	return ratios
}

// share is the part of requests that failed: none where no failure was counted.
func share(failed, requests []float64, points int) []float64 {
	shares := make([]float64, points)
	for i := range shares {
		switch {
		case i >= len(requests) || !(requests[i] > 0):
			shares[i] = math.NaN()
		case i < len(failed) && failed[i] > 0:
			shares[i] = min(1, failed[i]/requests[i])
		}
	}
	return shares
}
