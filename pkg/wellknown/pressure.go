package wellknown

import "fmt"

// Pressure is how much of a resource a service uses, as a share of what there is or,
// of queues and certificates, against a time.
type Pressure struct {
	Resource string // one of Resources
	Metric   string // that must exist
	// Use is PromQL of one number: that of the instance with the least room.
	Use string
	// Limit is the use at which work begins to fail or to wait; before what there is
	// is used up entirely.
	Limit float64
	// Label names the service where it is none of ServiceLabels, with Pattern for its
	// value, in which %s is the service; empty for others.
	Label, Pattern string
}

// The resources that a service may run out of.
const (
	MemoryResource      = "memory"
	HeapResource        = "heap"
	ProcessorResource   = "processor"
	ThrottlingResource  = "throttling"
	CollectionResource  = "garbage collection"
	ThreadsResource     = "threads"
	DescriptorsResource = "file descriptors"
	DiskResource        = "disk"
	InodesResource      = "inodes"
	NetworkResource     = "network"
	QueueResource       = "queue"
	PoolResource        = "connections"
	CertificateResource = "certificate"
)

// Resources are those that a service may run out of.
var Resources = []string{
	MemoryResource, HeapResource, ProcessorResource, ThrottlingResource, CollectionResource, ThreadsResource, DescriptorsResource,
	DiskResource, InodesResource, NetworkResource, QueueResource, PoolResource, CertificateResource,
}

// Limits of use. Beyond them a resource is not used up yet, but work suffers.
const (
	nearlyAll = 0.95 // what is counted in whole units, and what kills beyond
	mostOf    = 0.9  // what grows in leaps
	// throttled is the share of scheduling periods in which a container had to wait.
	throttled = 0.5
	// collecting is the share of the time that a runtime stands still to collect.
	collecting = 0.2
	// dropped is the share of packets.
	dropped = 0.01
	// behind is how many seconds the messages that wait take to be consumed.
	behind = 300
	// renewal is how many seconds before it expires a certificate must be renewed:
	// Let's Encrypt's and cert-manager's are renewed a month before.
	renewal = 7 * 24 * 3600
)

// Pressures are those of resources, the best of each resource first.
var Pressures = pressures()

func pressures() (all []Pressure) {
	add := func(resource, metric, use string, limit float64) {
		all = append(all, Pressure{Resource: resource, Metric: metric, Use: use, Limit: limit})
	}
	named := func(label, pattern, resource, metric, use string, limit float64) {
		all = append(all, Pressure{resource, metric, use, limit, label, pattern})
	}
	perPod := func(used, limited string) string {
		return "max(sum by (namespace, pod) (" + used + ") / on (namespace, pod) (sum by (namespace, pod) (" + limited + ") > 0))"
	}
	perInstance := func(used, most string) string {
		return "max(sum by (instance) (" + used + ") / (sum by (instance) (" + most + ") > 0))"
	}
	limitOf := func(resource string) string { return ResourceLimits + `{resource="` + resource + `"}` }

	add(MemoryResource, ContainerMemory, perPod(ContainerMemory+`{container!=""}`, limitOf("memory")), nearlyAll)
	for _, area := range []string{`jvm_memory_type="heap"`, `area="heap"`} {
		most := "jvm_memory_limit_bytes"
		if area == `area="heap"` {
			most = "jvm_memory_max_bytes" // Micrometer's
		}
		// What remains after collections, not the teeth of the saw.
		add(HeapResource, most, perInstance("min_over_time(jvm_memory_used_bytes{"+area+"}[1m])", most+"{"+area+"} > 0"), nearlyAll)
	}
	add(ProcessorResource, ContainerCPU, perPod("rate("+ContainerCPU+`{container!=""}[1m])`, limitOf("cpu")), nearlyAll)
	for _, share := range CPUShares {
		add(ProcessorResource, share, "max(avg_over_time("+share+"[1m]))", nearlyAll)
	}
	add(ThrottlingResource, ThrottledPeriods, "max(rate("+ThrottledPeriods+"[1m]) / (rate("+SchedulingPeriods+"[1m]) > 0))", throttled)
	for _, pause := range []string{"jvm_gc_duration_seconds_sum", "jvm_gc_pause_seconds_sum", "dotnet_gc_pause_time_seconds_total", "nodejs_gc_duration_seconds_sum"} {
		add(CollectionResource, pause, "max(sum by (instance) (rate("+pause+"[1m])))", collecting)
	}
	for _, w := range WorkerPools {
		add(ThreadsResource, w.Busy, perInstance("avg_over_time("+w.Busy+"[1m])", w.Max), nearlyAll)
	}
	add(ThreadsResource, "container_threads_max", perPod("container_threads", "container_threads_max"), mostOf)
	add(DescriptorsResource, "process_open_fds", perInstance("process_open_fds", "process_max_fds"), mostOf)
	add(DescriptorsResource, "process_files_open_files", perInstance("process_files_open_files", "process_files_max_files"), mostOf)

	// A claim of a stateful set is its template, the set and a number.
	const claim, ofSet = "persistentvolumeclaim", `[^-]+-%s-[0-9]+`
	const onDisk = `{fstype!~"tmpfs|overlay"}`
	named(claim, ofSet, DiskResource, "kubelet_volume_stats_used_bytes", "max(kubelet_volume_stats_used_bytes / (kubelet_volume_stats_capacity_bytes > 0))", mostOf)
	add(DiskResource, NodeFilesystemFree, "max(1 - "+NodeFilesystemFree+onDisk+" / "+NodeFilesystem+onDisk+")", mostOf)
	add(DiskResource, "container_fs_limit_bytes", perPod(`container_fs_usage_bytes{container!=""}`, `container_fs_limit_bytes{container!=""}`), mostOf)
	named(claim, ofSet, InodesResource, "kubelet_volume_stats_inodes_used", "max(kubelet_volume_stats_inodes_used / (kubelet_volume_stats_inodes > 0))", mostOf)
	add(InodesResource, "node_filesystem_files_free", "max(1 - node_filesystem_files_free"+onDisk+" / (node_filesystem_files"+onDisk+" > 0))", mostOf)
	add(NetworkResource, "node_network_receive_drop_total", "max(rate(node_network_receive_drop_total[1m]) / (rate(node_network_receive_packets_total[1m]) > 10))", dropped)
	add(NetworkResource, "node_nf_conntrack_entries", "max(node_nf_conntrack_entries / (node_nf_conntrack_entries_limit > 0))", mostOf)

	drained := func(waiting, taken string) string {
		return "sum(" + waiting + ") / (sum(rate(" + taken + "[1m])) > 0)"
	}
	const ofQueue = `%s(\..+)?`
	add(QueueResource, ConsumerLag, drained(ConsumerLag, "kafka_consumergroup_current_offset"), behind)
	named("queue", ofQueue, QueueResource, "rabbitmq_queue_messages_ready", drained("rabbitmq_queue_messages_ready", "rabbitmq_queue_messages_delivered_total"), behind)
	named("dimension_QueueName", ofQueue, QueueResource, "aws_sqs_approximate_age_of_oldest_message_maximum", "max(aws_sqs_approximate_age_of_oldest_message_maximum)", behind)
	named("consumer_name", ofQueue, QueueResource, "jetstream_consumer_num_pending", drained("jetstream_consumer_num_pending", "jetstream_consumer_delivered_consumer_seq"), behind)

	for _, p := range Pools {
		per := func(gauge string) string { return "max by (instance, " + p.Label + ") (" + gauge + ")" }
		add(PoolResource, p.Max, "max("+per(p.Used)+" / ("+per(p.Max)+" > 0))", nearlyAll)
	}
	for _, p := range PlainPools {
		per := func(gauge string) string { return "max by (instance, " + p.Label + ") (" + gauge + ")" }
		add(PoolResource, p.Max, "max("+per(p.Used)+" / ("+per(p.Max)+" > 0))", nearlyAll)
	}

	left := func(expiry string) string {
		return fmt.Sprintf("%d / clamp_min(min(%s) - time(), 1)", renewal, expiry)
	}
	add(CertificateResource, "probe_ssl_earliest_cert_expiry", left("probe_ssl_earliest_cert_expiry"), 1)
	named("name", `%s(-tls|-cert)?`, CertificateResource, "certmanager_certificate_expiration_timestamp_seconds", left("certmanager_certificate_expiration_timestamp_seconds"), 1)
	return all
}

// PlainPool is a connection pool that does not count how often a connection is
// taken.
type PlainPool struct{ Label, Used, Max string }

// PlainPools are those of Go's database/sql by Prometheus' client and by sqlstats, of
// pgx, and of Micrometer. SQLAlchemy, node-postgres and Npgsql have OpenTelemetry's
// names.
var PlainPools = []PlainPool{
	{"db_name", "go_sql_in_use_connections", "go_sql_max_open_connections"},
	{"db_name", "go_sql_stats_connections_in_use", "go_sql_stats_connections_max_open"},
	{"db_name", "pgxpool_acquired_conns", "pgxpool_max_conns"},
	{"name", "jdbc_connections_active", "jdbc_connections_max"},
}
