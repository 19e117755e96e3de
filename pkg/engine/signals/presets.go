package signals

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/internal/parallel"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

// A preset is a way to read one signal of a service off metrics with
// well-known names: those of Tempo's and OpenTelemetry's span metrics, of
// OpenTelemetry's semantic conventions in both spellings, as classic and as
// native histograms, of service graphs, connection pools, kube and node. Of the
// presets of one kind that share a group the first whose metric exists is
// taken.
type preset struct {
	Kind         string
	group        string // empty: beside all others of its kind
	Name         string
	metric       string // that must exist
	promQL       string // a template of core.Bind
	Direction    anomaly.Direction
	MinDeviation float64
	Weight       float64
}

// Finder finds the signals of services in metrics.
type Finder struct {
	core.Sources
	// Custom are the signals that an administrator defined. They replace the
	// presets of their kinds.
	Custom []Setting
	// Percentiles are the quantiles of latency, by service; nil for the usual one.
	Percentiles Percentiles
}

// The kinds of signals.
const (
	Traffic    = "traffic"
	Latency    = "latency"
	Errors     = "errors"
	Saturation = "saturation"
	dependency = "dependency"
	// Demand is what arrives of what callers send.
	Demand = "demand"
	// Business is what a service is for, as orders a minute.
	Business = "business"
)

// minErrorShare is a change in the share of errors that is worth a word.
const minErrorShare = 0.005

// presets in the order of preference: what a service says of itself comes
// before what is derived from its spans.
var presets = slices.Concat(requests(), spans(), calls(), serviceGraph(), resources())

// requests are traffic, errors and latency of what a service serves.
func requests() (all []preset) {
	for _, r := range wellknown.Served {
		all = append(all, red(r.Protocol, r.Count(), r.Count(), r.Failed, classicQuantile(r.Histogram, ""))...)
		all = append(all, nativeRed(r)...)
	}
	return all
}

// red are the presets of a selector of a counter of requests and of the quantile
// of their latency.
func red(group, metric, count, failed, quantile string) []preset {
	total, bad := rateOf(count), rateOf(withMatcher(count, failed))
	return threePresets(group, metric, total, bad, quantile)
}

func nativeRed(r wellknown.Requests) []preset {
	return threePresets(r.Protocol, r.Name, "histogram_count("+rateOf(r.Name)+")",
		"histogram_count("+rateOf(withMatcher(r.Name, r.Failed))+")", nativeQuantile(r.Histogram, ""))
}

func threePresets(group, metric, total, bad, quantile string) []preset {
	return []preset{
		{Traffic, group, group + " requests per second", metric, total, anomaly.Both, 0, 1},
		{Errors, group, group + " share of errors", metric, "((" + bad + ") or (0 * " + total + ")) / (" + total + " > 0)", anomaly.Above, minErrorShare, 1},
		{Latency, group, group + " " + percentText(usualQuantile) + " latency", metric, quantile, anomaly.Above, 0, 1},
	}
}

func rateOf(selector string) string { return "sum(rate(" + selector + "[1m]))" }

// withMatcher adds a matcher to a metric's name or selector.
func withMatcher(selector, matcher string) string {
	switch name, rest, narrowed := strings.Cut(selector, "{"); {
	case matcher == "":
		return selector
	case narrowed:
		return name + "{" + matcher + ", " + rest
	default:
		return name + "{" + matcher + "}"
	}
}

func classicQuantile(h wellknown.Histogram, matcher string) string {
	return quantileOf(usualQuantile) + "sum by (le) (rate(" + withMatcher(h.Bucket(), matcher) + "[1m])))" + inSeconds(h.Unit)
}

func nativeQuantile(h wellknown.Histogram, matcher string) string {
	return quantileOf(usualQuantile) + rateOf(withMatcher(h.Name, matcher)) + ")" + inSeconds(h.Unit)
}

// inSeconds converts a unit of so many seconds.
func inSeconds(unit float64) string {
	if unit == 1 {
		return ""
	}
	return " * " + strconv.FormatFloat(unit, 'g', -1, 64)
}

// spans are traffic, errors and latency of what a service served, off span
// metrics. They stand in where it has no metrics of its own.
func spans() (all []preset) {
	for _, m := range wellknown.SpanMetrics {
		served := withMatcher(m.Calls, wellknown.ServedSpans)
		of := red("spans", m.Calls, served, wellknown.FailedSpans, classicQuantile(m.Duration, wellknown.ServedSpans))
		of[2].metric = m.Duration.Bucket()
		native := of[2]
		native.metric, native.promQL = m.Duration.Name, nativeQuantile(m.Duration, wellknown.ServedSpans)
		all = append(append(all, of...), native)
	}
	return all
}

// calls are the latencies of what a service asks of others.
func calls() (all []preset) {
	for _, c := range wellknown.Sent {
		name := c.To + " " + percentText(usualQuantile) + " latency"
		all = append(all,
			preset{dependency, c.To, name, c.Bucket(), classicQuantile(c.Histogram, ""), anomaly.Above, 0, 0.5},
			preset{dependency, c.To, name, c.Name, nativeQuantile(c.Histogram, ""), anomaly.Above, 0, 0.5},
		)
	}
	return all
}

func serviceGraph() []preset {
	total := rateOf(wellknown.GraphRequests)
	return []preset{{
		dependency, "graph", "share of failed calls to others", wellknown.GraphRequests,
		"(" + rateOf(wellknown.GraphFailed) + " or 0 * " + total + ") / (" + total + " > 0)",
		anomaly.Above, minErrorShare, 0.5,
	}}
}

// beside are the resources whose use is a signal beside those that are named below.
var beside = []string{
	wellknown.HeapResource, wellknown.CollectionResource, wellknown.ThreadsResource, wellknown.DescriptorsResource, wellknown.QueueResource,
}

func resources() (all []preset) {
	above := func(group, name, metric, promQL string, least float64) {
		all = append(all, preset{Saturation, group, name, metric, promQL, anomaly.Above, least, 0.5})
	}
	for _, p := range wellknown.Pools {
		above("waiting", "requests waiting for a connection", p.Pending, "max("+p.Pending+")", 1)
	}
	for _, p := range wellknown.Pools {
		name, _, _ := strings.Cut(p.Used, "{")
		above("pool", "connections in use", name, "sum("+p.Used+")", 1)
	}
	for _, p := range wellknown.PlainPools {
		above("pool", "connections in use", p.Used, "sum("+p.Used+")", 1)
	}
	for _, p := range wellknown.Pressures {
		if slices.Contains(beside, p.Resource) && p.Label == "" {
			above(p.Resource, "use of "+p.Resource+", of the limit", p.Metric, "("+p.Use+") / "+strconv.FormatFloat(p.Limit, 'g', -1, 64), 0.1)
		}
	}
	for _, counter := range wellknown.CPUSeconds {
		above("processor", "processor use in cores", counter, rateOf(counter), 0.05)
	}
	for _, gauge := range wellknown.MemoryBytes {
		above("memory", "memory in bytes", gauge, "sum("+gauge+")", 16<<20)
	}
	above("throttling", "share of periods with the processor throttled", wellknown.ThrottledPeriods,
		rateOf(wellknown.ThrottledPeriods)+" / ("+rateOf(wellknown.SchedulingPeriods)+" > 0)", 0.05)
	above("restarts", "container restarts", wellknown.ContainerRestarts, "sum(increase("+wellknown.ContainerRestarts+"[1m]))", 1)
	above("unready", "containers that are not ready", wellknown.ContainerReady, "sum(1 - "+wellknown.ContainerReady+")", 1)
	above("node processor", "processor use of the nodes", wellknown.NodeCPU, "1 - avg(rate("+wellknown.NodeCPU+`{mode="idle"}[1m]))`, 0.05)
	above("node memory", "memory use of the nodes", wellknown.NodeMemoryFree, "1 - sum("+wellknown.NodeMemoryFree+") / sum("+wellknown.NodeMemory+")", 0.05)
	const onDisk = `{fstype!~"tmpfs|overlay"}`
	above("node disk", "use of the fullest file system", wellknown.NodeFilesystemFree,
		"max(1 - "+wellknown.NodeFilesystemFree+onDisk+" / "+wellknown.NodeFilesystem+onDisk+")", 0.05)
	above("node waiting", "share of time that the nodes wait for disks", wellknown.NodeDiskTime, "max(rate("+wellknown.NodeDiskTime+"[1m]))", 0.05)
	return all
}

// BoundPreset is a preset with the label under which its metric names the service.
type BoundPreset struct {
	preset
	naming naming
	Custom bool    // an administrator's signal: promQL holds their placeholders
	at     float64 // the quantile of a latency; 0 for the usual one
	Unit   string  // of an administrator's signal
	// sent and failed are templates of what callers send, and of what of it fails
	// for them; promQL is then divided by sent. Empty for other signals.
	sent, failed string
	sentNaming   naming
}

// Expr is the preset's PromQL for a service, with rates over the given window.
func (f BoundPreset) Expr(service string, rate time.Duration) string {
	if f.Custom {
		return fillCustom(f.promQL, service, rate)
	}
	promQL := core.Bind(f.promQL, rate, f.naming.matcher(service))
	if f.sent == "" {
		return promQL
	}
	sent := core.Bind(f.sent, rate, f.sentNaming.matcher(service))
	failed := core.Bind(f.failed, rate, f.sentNaming.matcher(service))
	// What nobody counts any more has not arrived where it fails for the callers.
	return "((" + promQL + ") or (0 * " + sent + " and " + failed + " > 0.5 * " + sent + ")) / (" + sent + " > 0)"
}

// template is the preset's PromQL with an administrator's placeholders where the
// service and the window of rates stand.
func (f BoundPreset) template() string {
	if f.Custom {
		return f.promQL
	}
	return strings.ReplaceAll(f.Expr(servicePlaceholder, time.Minute), "[1m]", "[$interval]")
}

// Presets finds which presets a service has metrics for; an administrator's
// signals stand in for those of their kinds.
func (e Finder) Presets(ctx context.Context, service string, from, to time.Time) ([]BoundPreset, error) {
	names := presetMetrics()
	existing, before := make([][]string, len(presetNamings)), make([][]string, len(presetNamings))
	var sent, sentBefore []string
	group, ctx := parallel.WithContext(ctx)
	for i, n := range presetNamings {
		e.lookUp(ctx, group, []string{"{" + names + ", " + n.matcher(service).String() + "}"}, from, to, &existing[i], &before[i])
	}
	e.lookUp(ctx, group, sentSelectors(service), from, to, &sent, &sentBefore)
	if err := group.Wait(); err != nil {
		return nil, err
	}
	chosen := choose(presetNamings, before, existing)
	return e.withCustom(e.withPercentiles(service, slices.Concat(chosen, demand(sentBefore, sent, chosen)))), nil
}

// choose takes of each group the first preset whose metric exists, under the
// first label that has it; and of traffic, errors and latency what spans say
// only where nothing else does. Metrics that existed before come first.
func choose(namings []naming, before, existing [][]string) []BoundPreset {
	chosen := make([]*BoundPreset, len(presets))
	for _, known := range [][][]string{before, existing} {
		for k, p := range presets {
			taken := func(f *BoundPreset) bool {
				return f != nil && f.Kind == p.Kind && (f.group == p.group || p.group == "spans" || f.group == "spans")
			}
			if slices.ContainsFunc(chosen, taken) {
				continue
			}
			for i, n := range namings {
				if (n == asClient) == (p.group == "graph") && slices.Contains(existing[i], p.metric) && slices.Contains(known[i], p.metric) {
					chosen[k] = &BoundPreset{preset: p, naming: n}
					break
				}
			}
		}
	}
	var found []BoundPreset
	for _, f := range chosen {
		if f != nil {
			found = append(found, *f)
		}
	}
	return found
}
