package signals

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/series"
	"github.com/foresight-observability/foresight/pkg/stats"
	"github.com/foresight-observability/foresight/pkg/trace/cause"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// Probe is a metric that tells of a resource of a service. In its PromQL,
// $service stands for the matcher of the service and $range for the window of
// a rate. The names are those of OpenTelemetry's semantic conventions, old and
// new, of HikariCP, of cAdvisor and of Kafka's exporter.
type Probe struct {
	kind        cause.SignalKind
	title, unit string
	PromQL      string
	// Min is the smallest value that is worth a word.
	Min float64
}

var probes = []Probe{
	{cause.Pool, "requests waiting for a connection", "",
		"max(db_client_connection_pending_requests{$service} or db_client_connections_pending_requests{$service} or hikaricp_connections_pending{$service})", 1},
	{cause.Pool, "use of the connection pool", "%",
		`max(max by (instance, db_client_connection_pool_name) (db_client_connection_count{db_client_connection_state="used", $service}) / max by (instance, db_client_connection_pool_name) (db_client_connection_max{$service})) or max(hikaricp_connections_active{$service} / hikaricp_connections_max{$service})`, 0.8},
	{cause.Pool, "time to get a connection", "s",
		"sum(rate(db_client_connection_wait_time_seconds_sum{$service}[$range])) / sum(rate(db_client_connection_wait_time_seconds_count{$service}[$range]))", 0.001},
	{cause.Pool, "connection timeouts per second", "",
		"sum(rate(db_client_connection_timeouts_total{$service}[$range]))", 0.01},
	{cause.Processor, "processor use, in cores,", "",
		"sum(rate(process_cpu_seconds_total{$service}[$range])) or sum(rate(process_cpu_time_seconds_total{$service}[$range])) or sum(rate(container_cpu_usage_seconds_total{$service}[$range]))", 0.05},
	{cause.Processor, "processor use", "%",
		"avg(process_cpu_utilization_ratio{$service})", 0.5},
	{cause.Processor, "share of periods with the processor throttled", "%",
		"sum(rate(container_cpu_cfs_throttled_periods_total{$service}[$range])) / sum(rate(container_cpu_cfs_periods_total{$service}[$range]))", 0.05},
	{cause.Backlog, "messages waiting", "", "sum(kafka_consumergroup_lag{$service})", 10},
}

// ServiceLabels are the labels under which metrics name a service; of the first
// that has the metric it is taken.
var ServiceLabels = []string{"service_name", "service", "app", "container", "consumergroup"}

// matcherTemplates are the ways in which metrics name a service. The job of a
// target is "namespace/name" where it comes from OpenTelemetry.
func matcherTemplates() (templates []string) {
	for _, label := range ServiceLabels {
		templates = append(templates, label+`="`+servicePlaceholder+`"`)
	}
	return append(templates, `job=~"(.+/)?`+servicePlaceholder+`"`)
}

// Matchers are the matchers by which metrics may name a service.
func Matchers(service string) (matchers []string) {
	for _, template := range matcherTemplates() {
		matchers = append(matchers, bind(template, service))
	}
	return matchers
}

// bind puts a service's name into a template.
func bind(template, service string) string {
	bound, _ := fillService(template, service)
	return bound
}

// For is the probe's PromQL for one service. Pairs of further placeholders and
// what stands for them come last; a name that holds a placeholder stays a name.
func (p Probe) For(service string, window time.Duration, further ...string) string {
	var all []string
	for _, matcher := range Matchers(service) {
		filled := strings.NewReplacer(append(further, "$range", fmt.Sprintf("%ds", int(window.Seconds())), "$service", matcher)...).Replace(p.PromQL)
		all = append(all, "("+filled+")")
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
	group, groupContext := errgroup.WithContext(patience)
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
		basis.AddNotice(fmt.Sprintf("How often metrics are scraped is not known: %v", err))
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
