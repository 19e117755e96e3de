package signals

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
)

// A preset is a way to read one signal of a service off metrics with
// well-known names: those of Tempo's and OpenTelemetry's span metrics, of
// OpenTelemetry's semantic conventions in both spellings, as classic and as
// native histograms, of service graphs, connection pools, kube and node. Of the
// presets of one kind that share a group the first whose metric exists is
// taken.
type preset struct {
	Kind   string
	group  string // empty: beside all others of its kind
	Name   string
	metric string // that must exist
	// promQL holds $m for the service's matcher and $r for the window of rates.
	promQL       string
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
}

// The kinds of signals.
const (
	Traffic    = "traffic"
	Latency    = "latency"
	Errors     = "errors"
	Saturation = "saturation"
	dependency = "dependency"
)

// leastErrorShare is a change in the share of errors that is worth a word.
const leastErrorShare = 0.005

// Matchers of span metrics: the spans that a service serves, and those that
// failed.
const (
	ServedSpans = `span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER"`
	FailedSpans = `status_code="STATUS_CODE_ERROR"`
)

// presets in the order of preference: what a service says of itself comes
// before what is derived from its spans.
var presets = slices.Concat(
	requests("http", "http_server_request_duration_seconds", `http_response_status_code=~"5.."`, "", 1),
	requests("http", "http_server_duration_milliseconds", `http_status_code=~"5.."`, "", 1e-3),
	requests("rpc", "rpc_server_call_duration_seconds", `rpc_response_status_code!~"OK|0|"`, "", 1),
	requests("rpc", "rpc_server_duration_seconds", `rpc_grpc_status_code!~"0|"`, "", 1),
	requests("rpc", "rpc_server_duration_milliseconds", `rpc_grpc_status_code!~"0|"`, "", 1e-3),
	spans("traces_spanmetrics_calls_total", "traces_spanmetrics_latency", 1),
	spans("traces_span_metrics_calls_total", "traces_span_metrics_duration_milliseconds", 1e-3),
	spans("traces_span_metrics_calls_total", "traces_span_metrics_duration_seconds", 1),
	calls("database", "db_client_operation_duration_seconds", 1),
	calls("http calls", "http_client_request_duration_seconds", 1),
	calls("http calls", "http_client_duration_milliseconds", 1e-3),
	calls("rpc calls", "rpc_client_call_duration_seconds", 1),
	calls("rpc calls", "rpc_client_duration_seconds", 1),
	calls("rpc calls", "rpc_client_duration_milliseconds", 1e-3),
	serviceGraph(),
	resources(),
)

// requests are traffic, errors and latency off one histogram.
func requests(group, histogram, failed, also string, seconds float64) []preset {
	return slices.Concat(
		red(group, histogram+"_count", fmt.Sprintf("%s_count{$m%s}", histogram, also), failed,
			classicQuantile(histogram, also, seconds)),
		red(group, histogram, "", failed, inSeconds(seconds)),
	)
}

// red are the presets of one classic histogram or counter; or, with an empty
// count, of a native histogram, whose quantile is brought to seconds.
func red(group, metric, count, failed, quantile string) []preset {
	rate := func(selector string) string { return "sum(rate(" + selector + "[$r]))" }
	total, bad := rate(count), ""
	if count == "" {
		total = "histogram_count(sum(rate(" + metric + "{$m}[$r])))"
		bad = "histogram_count(sum(rate(" + metric + "{$m, " + failed + "}[$r])))"
		quantile = "histogram_quantile(0.95, sum(rate(" + metric + "{$m}[$r])))" + quantile
	} else {
		bad = rate(strings.Replace(count, "$m", "$m, "+failed, 1))
	}
	return []preset{
		{Traffic, group, group + " requests per second", metric, total, anomaly.Both, 0, 1},
		{Errors, group, group + " share of errors", metric, "((" + bad + ") or (0 * " + total + ")) / (" + total + " > 0)", anomaly.Above, leastErrorShare, 1},
		{Latency, group, group + " 95 % latency", metric, quantile, anomaly.Above, 0, 1},
	}
}

func classicQuantile(histogram, also string, seconds float64) string {
	return fmt.Sprintf("histogram_quantile(0.95, sum by (le) (rate(%s_bucket{$m%s}[$r])))", histogram, also) + inSeconds(seconds)
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
func spans(calls, duration string, seconds float64) []preset {
	found := red("spans", calls, calls+"{$m, "+ServedSpans+"}", FailedSpans, classicQuantile(duration, ", "+ServedSpans, seconds))
	// The latency exists under a name of its own.
	found[2].metric = duration + "_bucket"
	return append(found, preset{
		Latency, "spans", "spans 95 % latency", duration,
		"histogram_quantile(0.95, sum(rate(" + duration + "{$m, " + ServedSpans + "}[$r])))" + inSeconds(seconds), anomaly.Above, 0, 1,
	})
}

// calls are the latencies of what a service asks of others.
func calls(what, histogram string, seconds float64) []preset {
	native := "histogram_quantile(0.95, sum(rate(" + histogram + "{$m}[$r])))" + inSeconds(seconds)
	return []preset{
		{dependency, what, what + " 95 % latency", histogram + "_bucket", classicQuantile(histogram, "", seconds), anomaly.Above, 0, 0.5},
		{dependency, what, what + " 95 % latency", histogram, native, anomaly.Above, 0, 0.5},
	}
}

func serviceGraph() []preset {
	const total = "sum(rate(traces_service_graph_request_total{$client}[$r]))"
	return []preset{{
		dependency, "graph", "share of failed calls to others", "traces_service_graph_request_total",
		"(sum(rate(traces_service_graph_request_failed_total{$client}[$r])) or 0 * " + total + ") / (" + total + " > 0)",
		anomaly.Above, leastErrorShare, 0.5,
	}}
}

func resources() []preset {
	above := func(group, name, metric, promQL string, least float64) preset {
		return preset{Saturation, group, name, metric, promQL, anomaly.Above, least, 0.5}
	}
	return []preset{
		above("waiting", "requests waiting for a connection", "db_client_connection_pending_requests", "max(db_client_connection_pending_requests{$m})", 1),
		above("waiting", "requests waiting for a connection", "hikaricp_connections_pending", "max(hikaricp_connections_pending{$m})", 1),
		above("pool", "connections in use", "db_client_connection_count", `sum(db_client_connection_count{$m, db_client_connection_state="used"})`, 1),
		above("pool", "connections in use", "hikaricp_connections_active", "sum(hikaricp_connections_active{$m})", 1),
		above("processor", "processor use in cores", "process_cpu_time_seconds_total", "sum(rate(process_cpu_time_seconds_total{$m}[$r]))", 0.05),
		above("processor", "processor use in cores", "process_cpu_seconds_total", "sum(rate(process_cpu_seconds_total{$m}[$r]))", 0.05),
		above("processor", "processor use in cores", "container_cpu_usage_seconds_total", "sum(rate(container_cpu_usage_seconds_total{$m}[$r]))", 0.05),
		above("memory", "memory in bytes", "process_memory_usage_bytes", "sum(process_memory_usage_bytes{$m})", 16<<20),
		above("memory", "memory in bytes", "process_resident_memory_bytes", "sum(process_resident_memory_bytes{$m})", 16<<20),
		above("memory", "memory in bytes", "container_memory_working_set_bytes", "sum(container_memory_working_set_bytes{$m})", 16<<20),
		above("throttling", "share of periods with the processor throttled", "container_cpu_cfs_throttled_periods_total",
			"sum(rate(container_cpu_cfs_throttled_periods_total{$m}[$r])) / (sum(rate(container_cpu_cfs_periods_total{$m}[$r])) > 0)", 0.05),
		above("restarts", "container restarts", "kube_pod_container_status_restarts_total", "sum(increase(kube_pod_container_status_restarts_total{$m}[$r]))", 1),
		above("unready", "containers that are not ready", "kube_pod_container_status_ready", "sum(1 - kube_pod_container_status_ready{$m})", 1),
		above("node processor", "processor use of the nodes", "node_cpu_seconds_total", `1 - avg(rate(node_cpu_seconds_total{$m, mode="idle"}[$r]))`, 0.05),
		above("node memory", "memory use of the nodes", "node_memory_MemAvailable_bytes",
			"1 - sum(node_memory_MemAvailable_bytes{$m}) / sum(node_memory_MemTotal_bytes{$m})", 0.05),
		above("node disk", "use of the fullest file system", "node_filesystem_avail_bytes",
			`max(1 - node_filesystem_avail_bytes{$m, fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes{$m, fstype!~"tmpfs|overlay"})`, 0.05),
		above("node waiting", "share of time that the nodes wait for disks", "node_disk_io_time_seconds_total", "max(rate(node_disk_io_time_seconds_total{$m}[$r]))", 0.05),
	}
}

// BoundPreset is a preset with the label under which its metric names the service.
type BoundPreset struct {
	preset
	matcher string // a template, in which $service stands for the name
	Custom  bool   // an administrator's signal: promQL holds their placeholders
	Unit    string // of an administrator's signal
}

// Expr is the preset's PromQL for a service, with rates over the given window.
func (f BoundPreset) Expr(service string, rate time.Duration) string {
	if f.Custom {
		return fillCustom(f.promQL, service, rate)
	}
	return strings.NewReplacer(
		"$m", bind(f.matcher, service), "$r", fmt.Sprintf("%ds", int(rate.Seconds())), "$client", "client="+strconv.Quote(service),
	).Replace(f.promQL)
}

// Presets finds which presets a service has metrics for; an administrator's
// signals stand in for those of their kinds.
func (e Finder) Presets(ctx context.Context, service string, from, to time.Time) ([]BoundPreset, error) {
	names := presetMetrics()
	matchers := append([]string{`client="` + servicePlaceholder + `"`}, matcherTemplates()...)
	existing := make([][]string, len(matchers))
	group, ctx := errgroup.WithContext(ctx)
	for i, matcher := range matchers {
		group.Go(func() (err error) {
			existing[i], _, err = e.Metrics.LabelValues(ctx, "__name__", []string{"{" + names + ", " + bind(matcher, service) + "}"}, from, to)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return e.withCustom(choose(matchers, existing)), nil
}

// choose takes of each group the first preset whose metric exists, under the
// first label that has it; and of traffic, errors and latency what spans say
// only where nothing else does.
func choose(matchers []string, existing [][]string) []BoundPreset {
	var chosen []BoundPreset
	for _, p := range presets {
		taken := func(f BoundPreset) bool {
			return f.Kind == p.Kind && (f.group == p.group || p.group == "spans")
		}
		if slices.ContainsFunc(chosen, taken) {
			continue
		}
		for i, matcher := range matchers {
			ofClient := i == 0
			if ofClient == (p.group == "graph") && slices.Contains(existing[i], p.metric) {
				chosen = append(chosen, BoundPreset{preset: p, matcher: matcher})
				break
			}
		}
	}
	return chosen
}
