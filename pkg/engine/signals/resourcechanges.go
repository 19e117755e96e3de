package signals

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// Probe is a metric that shows the state of a resource of a service.
type Probe struct {
	kind        cause.SignalKind
	title, unit string
	PromQL      string // a template of core.Bind
	// Min is the smallest value that is worth a word.
	Min float64
}

var probes = []Probe{
	{cause.Pool, "requests waiting for a connection", "", OfPools(func(p wellknown.Pool) string { return "max(" + p.Pending + ")" }), 1},
	{cause.Pool, "use of the connection pool", "%", OfPools(func(p wellknown.Pool) string {
		per := "max by (instance, " + p.Label + ") "
		return "max(" + per + "(" + p.Used + ") / " + per + "(" + p.Max + "))"
	}), 0.8},
	{cause.Pool, "time to get a connection", "s", OfPools(func(p wellknown.Pool) string {
		return rateOf(p.Wait.Sum()) + " / " + rateOf(p.Wait.Count()) + inSeconds(p.Wait.Unit)
	}), 0.001},
	{cause.Pool, "connection timeouts per second", "", OfPools(func(p wellknown.Pool) string { return rateOf(p.Timeouts) }), 0.01},
	{cause.Processor, "processor use, in cores,", "", FirstOf(wellknown.CPUSeconds, rateOf), 0.05},
	{cause.Processor, "processor use", "%", FirstOf(wellknown.CPUShares, func(gauge string) string { return "avg(" + gauge + ")" }), 0.5},
	{cause.Processor, "share of periods with the processor throttled", "%",
		rateOf(wellknown.ThrottledPeriods) + " / " + rateOf(wellknown.SchedulingPeriods), 0.05},
	{cause.Backlog, "messages waiting", "", "sum(" + wellknown.ConsumerLag + ")", 10},
}

// FirstOf is PromQL for the first of several metrics that has samples.
func FirstOf[T any](metrics []T, promQL func(T) string) string {
	var all []string
	for _, metric := range metrics {
		all = append(all, promQL(metric))
	}
	return strings.Join(all, " or ")
}

// OfPools is PromQL for the first kind of connection pool that has samples.
func OfPools(promQL func(wellknown.Pool) string) string { return FirstOf(wellknown.Pools, promQL) }

// For is the probe's PromQL for one service, under each of its names, with
// further matchers in every selector.
func (p Probe) For(service string, window time.Duration, further ...*labels.Matcher) string {
	var all []string
	for _, matcher := range Matchers(service) {
		all = append(all, "("+core.Bind(p.PromQL, window, slices.Concat(further, []*labels.Matcher{matcher})...)+")")
	}
	return strings.Join(all, " or ")
}

const (
	// signalSteps is how finely each metric is looked at.
	signalSteps = 60
	// beyond is by how much a metric must exceed all that it was before.
	beyond = 1.1
)

// ResourceChanges are what the resources of services did, those that changed and those
// that did not.
func (e Finder) ResourceChanges(ctx context.Context, services []string, before, now upstream.Range, basis *core.Provenance) []cause.Signal {
	step := max(now.End.Sub(before.Start)/signalSteps, 5*time.Second).Truncate(time.Second)
	window := upstream.Range{Start: core.Floor(before.Start, step), End: core.Floor(now.End, step), Step: step}
	found := make([]*cause.Signal, len(services)*len(probes))
	failures := make([]error, len(found))
	patience, cancel := context.WithTimeout(ctx, core.SideTimeout)
	defer cancel()
	rate := max(minProbeScrapes*e.processorScrape(patience, services, now.End, basis), 4*window.Step)
	group, groupContext := parallel.WithContext(patience)
	for i, service := range services {
		for j, p := range probes {
			group.Go(func() error {
				at := i*len(probes) + j
				found[at], failures[at] = e.signal(groupContext, p, service, window, now.Start, rate)
				return nil // one metric less is no reason to answer nothing
			})
		}
	}
	_ = group.Wait()
	var signals []cause.Signal
	for i, signal := range found {
		if failures[i] != nil {
			basis.AddNotice(fmt.Sprintf("Some metrics were not looked at: %v", failures[i]))
		}
		if signal != nil {
			signals = append(signals, *signal)
			if signal.Worse || signal.Better {
				basis.AddQuery("%s", signal.Query)
			}
		}
	}
	return signals
}

// processorScrape is how often the processor of the first service is scraped, as
// other resources mostly are.
func (e Finder) processorScrape(ctx context.Context, services []string, at time.Time, basis *core.Provenance) time.Duration {
	i := slices.IndexFunc(probes, func(p Probe) bool { return p.kind == cause.Processor })
	expr := ""
	if len(services) > 0 {
		expr = probes[i].For(services[0], time.Minute)
	}
	scrape, err := e.ScrapeInterval(ctx, expr, at)
	if err != nil {
		basis.AddNotice(fmt.Sprintf("The scrape interval is unknown: %v", err))
	}
	return scrape
}

// minProbeScrapes is how many scrapes a probe's rate is taken over.
const minProbeScrapes = 4

// signal is one metric of one service before an instant and after; nil where
// either side has none.
func (e Finder) signal(ctx context.Context, p Probe, service string, window upstream.Range, since time.Time, rate time.Duration) (*cause.Signal, error) {
	promQL := p.For(service, rate)
	set, err := e.Metrics.QueryRange(ctx, promQL, window)
	if err != nil || len(set.Series) == 0 {
		return nil, err
	}
	past, present := split(set.Series[0], since)
	if len(past) < 3 || len(present) == 0 {
		return nil, nil
	}
	signal := &cause.Signal{Service: service, Kind: p.kind, Title: p.title, Unit: p.unit, Query: promQL}
	signal.Before, signal.Now = stats.MedianOf(past), stats.MedianOf(present)
	signal.Worse = signal.Now >= p.Min && signal.Now > beyond*slices.Max(past)
	signal.Better = signal.Before >= p.Min && beyond*signal.Now < slices.Min(past)
	return signal, nil
}

// split is the finite values before an instant, and from it on. The step in
// which it lies is neither.
func split(s series.Series, at time.Time) (before, after []float64) {
	for i, value := range s.Values {
		switch {
		case math.IsNaN(value) || math.IsInf(value, 0):
		case !s.Time(i + 1).After(at):
			before = append(before, value)
		case !s.Time(i).Before(at):
			after = append(after, value)
		}
	}
	return before, after
}
