// Package wellknown is the catalogue of the metrics that Foresight knows by
// name: OpenTelemetry's semantic conventions, old and new, the span metrics and
// service graphs of Tempo and of the OpenTelemetry Collector, HikariCP and
// Micrometer, kube-state-metrics, cAdvisor and the node exporter. PromQL is
// built from it elsewhere; a metric that is to be known is added here.
package wellknown

import "slices"

// ServiceLabels are the labels under which metrics name a service, in the order
// of preference. The job of a target can name it too, as "namespace/name".
var ServiceLabels = []string{"service_name", "service", "app", "container", "consumergroup"}

// ServiceOf is the service that labels name; empty where none of ServiceLabels does.
func ServiceOf(labels map[string]string) string {
	for _, name := range ServiceLabels {
		if labels[name] != "" {
			return labels[name]
		}
	}
	return ""
}

// VersionLabel is the label under which metrics name a service's version.
const VersionLabel = "service_version"

// Matchers of span metrics: the spans that a service serves, and those that
// failed.
const (
	ServedSpans = `span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER"`
	FailedSpans = `status_code="STATUS_CODE_ERROR"`
)

// Histogram is a histogram of durations. As a classic histogram it is stored
// with the suffixes _bucket, _count and _sum, as a native one under its name.
type Histogram struct {
	Name string
	Unit float64 // in seconds
}

// Bucket is the series of a classic histogram's buckets.
func (h Histogram) Bucket() string { return h.Name + "_bucket" }

// Count is the series of a classic histogram's count.
func (h Histogram) Count() string { return h.Name + "_count" }

// Sum is the series of a classic histogram's sum.
func (h Histogram) Sum() string { return h.Name + "_sum" }

// Requests are the requests that a service serves.
type Requests struct {
	Protocol string
	Histogram
	Failed string // matcher of failed requests
}

// Served are the metrics of served requests, in the order of preference.
var Served = []Requests{
	{"http", Histogram{"http_server_request_duration_seconds", 1}, `http_response_status_code=~"5.."`},
	{"http", Histogram{"http_server_duration_milliseconds", 1e-3}, `http_status_code=~"5.."`},
	{"rpc", Histogram{"rpc_server_call_duration_seconds", 1}, `rpc_response_status_code!~"OK|0|"`},
	{"rpc", Histogram{"rpc_server_duration_seconds", 1}, `rpc_grpc_status_code!~"0|"`},
	{"rpc", Histogram{"rpc_server_duration_milliseconds", 1e-3}, `rpc_grpc_status_code!~"0|"`},
}

// Calls are the requests that a service sends to others.
type Calls struct {
	To string // what is called
	Histogram
	Failed string   // matcher of failed requests
	Peers  []string // labels that name what is called
}

// Sent are the metrics of sent requests, in the order of preference.
var Sent = []Calls{
	{"database", Histogram{"db_client_operation_duration_seconds", 1}, `error_type!=""`, []string{"server_address", "db_system_name"}},
	{"http calls", Histogram{"http_client_request_duration_seconds", 1}, `error_type!=""`, []string{"server_address"}},
	{"http calls", Histogram{"http_client_duration_milliseconds", 1e-3}, `http_status_code=~"5.."`, []string{"net_peer_name"}},
	{"rpc calls", Histogram{"rpc_client_call_duration_seconds", 1}, `error_type!=""`, []string{"server_address"}},
	{"rpc calls", Histogram{"rpc_client_duration_seconds", 1}, `rpc_grpc_status_code!~"0|"`, []string{"server_address"}},
	{"rpc calls", Histogram{"rpc_client_duration_milliseconds", 1e-3}, `rpc_grpc_status_code!~"0|"`, []string{"server_address"}},
}

// Spans are metrics that are derived from spans.
type Spans struct {
	Calls    string // counter
	Duration Histogram
	Label    string // names the service
}

// SpanMetrics come from Tempo's metrics generator, then from the Collector's span
// metrics connector in either unit.
var SpanMetrics = []Spans{
	{"traces_spanmetrics_calls_total", Histogram{"traces_spanmetrics_latency", 1}, "service"},
	{"traces_span_metrics_calls_total", Histogram{"traces_span_metrics_duration_milliseconds", 1e-3}, "service_name"},
	{"traces_span_metrics_calls_total", Histogram{"traces_span_metrics_duration_seconds", 1}, "service_name"},
}

// SpanCalls are the counters of span metrics, each once.
func SpanCalls() (calls []Spans) {
	for _, m := range SpanMetrics {
		if !slices.ContainsFunc(calls, func(known Spans) bool { return known.Calls == m.Calls }) {
			calls = append(calls, m)
		}
	}
	return calls
}

// SpanLatencies are the series of span metrics whose samples point to traces.
func SpanLatencies() (names []string) {
	for _, m := range SpanMetrics {
		names = append(names, m.Duration.Bucket(), m.Duration.Name)
	}
	return names
}

// The service graph: calls between services, with the labels client and server.
const (
	GraphRequests = "traces_service_graph_request_total"
	// ConnectionType says what a server of the graph is where it is no service: a
	// database, or a virtual_node, which only callers measure.
	ConnectionType = "connection_type"
	GraphFailed    = "traces_service_graph_request_failed_total"
)

// GraphDurations are the latencies of the service graph, as either side has them.
var GraphDurations = []Histogram{
	{"traces_service_graph_request_server_seconds", 1}, {"traces_service_graph_request_client_seconds", 1},
}

// Gateway is an ingress or a proxy that counts the requests it passes on.
type Gateway struct {
	About    string // for people
	Requests string // counter
	Service  string // label of the service that they go to
	Failed   string // matcher of failed requests
}

// Gateways are NGINX' ingress controller (whose label service is renamed where the
// target has one too), HAProxy, Kong and Envoy's clusters.
var Gateways = []Gateway{
	{"the NGINX ingress", "nginx_ingress_controller_requests", "exported_service", `status=~"5.."`},
	{"the NGINX ingress", "nginx_ingress_controller_requests", "service", `status=~"5.."`},
	{"HAProxy", "haproxy_backend_http_responses_total", "proxy", `code="5xx"`},
	{"Kong", "kong_http_requests_total", "service", `code=~"5.."`},
	{"Envoy", "envoy_cluster_upstream_rq_xx", "envoy_cluster_name", `envoy_response_code_class="5"`},
}

// Pool is a kind of connection pool.
type Pool struct {
	Label    string // names the pool
	Used     string // selector of the gauge of connections in use
	Max      string // gauge
	Pending  string // gauge of requests that wait for a connection
	Wait     Histogram
	Timeouts string // counter
}

// Pools are the connection pools of OpenTelemetry's current and former
// conventions, and HikariCP's.
var Pools = []Pool{
	{
		"db_client_connection_pool_name", `db_client_connection_count{db_client_connection_state="used"}`, "db_client_connection_max",
		"db_client_connection_pending_requests", Histogram{"db_client_connection_wait_time_seconds", 1}, "db_client_connection_timeouts_total",
	},
	{
		"pool_name", `db_client_connections_usage{state="used"}`, "db_client_connections_max",
		"db_client_connections_pending_requests", Histogram{"db_client_connections_wait_time_milliseconds", 1e-3}, "db_client_connections_timeouts_total",
	},
	{
		"pool", "hikaricp_connections_active", "hikaricp_connections_max",
		"hikaricp_connections_pending", Histogram{"hikaricp_connections_acquire_seconds", 1}, "hikaricp_connections_timeout_total",
	},
}

// Processors and memory, as processes and containers report them.
var (
	// CPUSeconds are counters of processor time.
	CPUSeconds = []string{"process_cpu_time_seconds_total", "process_cpu_seconds_total", "container_cpu_usage_seconds_total"}
	// CPUShares are gauges of the share of its processors that an instance uses.
	CPUShares = []string{"process_cpu_utilization_ratio", "jvm_cpu_recent_utilization_ratio", "process_cpu_usage"}
	// MemoryBytes are gauges of memory in use.
	MemoryBytes = []string{"process_memory_usage_bytes", "process_resident_memory_bytes", "container_memory_working_set_bytes"}
)

// Containers, pods and hosts.
const (
	ContainerCPU       = "container_cpu_usage_seconds_total"
	ContainerMemory    = "container_memory_working_set_bytes"
	ThrottledPeriods   = "container_cpu_cfs_throttled_periods_total"
	SchedulingPeriods  = "container_cpu_cfs_periods_total"
	ResourceLimits     = "kube_pod_container_resource_limits" // label resource
	ContainerInfo      = "kube_pod_container_info"
	ContainerRestarts  = "kube_pod_container_status_restarts_total"
	ContainerReady     = "kube_pod_container_status_ready"
	DeploymentReady    = "kube_deployment_status_replicas_ready"
	StatefulSetReady   = "kube_statefulset_status_replicas_ready"
	TargetInfo         = "target_info"
	ConsumerLag        = "kafka_consumergroup_lag"
	HeapUsed           = `jvm_memory_used_bytes{jvm_memory_type="heap"}`
	HeapLimit          = `jvm_memory_limit_bytes{jvm_memory_type="heap"}`
	NodeCPU            = "node_cpu_seconds_total" // label mode
	NodeMemoryFree     = "node_memory_MemAvailable_bytes"
	NodeMemory         = "node_memory_MemTotal_bytes"
	NodeFilesystemFree = "node_filesystem_avail_bytes"
	NodeFilesystem     = "node_filesystem_size_bytes"
	NodeDiskTime       = "node_disk_io_time_seconds_total"
)

// Workers are the threads or workers of a server that handle a request each: how
// many do, and how many there may be.
type Workers struct{ Busy, Max string }

// WorkerPools are Tomcat's and Jetty's by Micrometer, its executors, and
// Gunicorn's and Puma's exporters.
var WorkerPools = []Workers{
	{"tomcat_threads_busy_threads", "tomcat_threads_config_max_threads"},
	{"jetty_threads_busy", "jetty_threads_config_max"},
	{"executor_active_threads", "executor_pool_max_threads"},
	{"gunicorn_busy_workers", "gunicorn_workers"},
	{"puma_busy_threads", "puma_max_threads"},
}

// Cache counts the lookups of a cache: selectors of counters.
type Cache struct{ Hits, Misses string }

// Caches are Redis' and memcached's exporters, and Micrometer.
var Caches = []Cache{
	{"redis_keyspace_hits_total", "redis_keyspace_misses_total"},
	{`memcached_commands_total{command="get", status="hit"}`, `memcached_commands_total{command="get", status="miss"}`},
	{`cache_gets_total{result="hit"}`, `cache_gets_total{result="miss"}`},
}

// Durations are all histograms of the catalogue.
func Durations() (all []Histogram) {
	for _, r := range Served {
		all = append(all, r.Histogram)
	}
	for _, c := range Sent {
		all = append(all, c.Histogram)
	}
	for _, m := range SpanMetrics {
		all = append(all, m.Duration)
	}
	return append(all, GraphDurations...)
}
