package wellknown

import (
	"slices"
	"strings"
)

// Prometheus 3 can keep the names of OpenTelemetry as they are, with dots, and
// with or without the unit and "_total" at the end. These are the metrics of the
// catalogue by the names that their conventions have.
var dottedMetrics = []string{
	"http.server.request.duration", "http.server.duration", "http.client.request.duration", "http.client.duration",
	"rpc.server.call.duration", "rpc.server.duration", "rpc.client.call.duration", "rpc.client.duration",
	"db.client.operation.duration", "traces.span.metrics.calls", "traces.span.metrics.duration",
	"db.client.connection.count", "db.client.connection.max", "db.client.connection.pending_requests",
	"db.client.connection.wait_time", "db.client.connection.timeouts",
	"db.client.connections.usage", "db.client.connections.max", "db.client.connections.pending_requests",
	"db.client.connections.wait_time", "db.client.connections.timeouts",
	"process.cpu.time", "process.cpu.utilization", "process.memory.usage",
	"jvm.cpu.recent_utilization", "jvm.memory.used", "jvm.memory.limit",
}

// dottedLabels are the labels of those metrics, and of resources, whose names have
// dots.
var dottedLabels = []string{
	"service.name", "service.version", "service.namespace", "service.instance.id", "deployment.environment", "deployment.environment.name",
	"span.kind", "span.name", "status.code", "error.type",
	"http.response.status_code", "http.status_code", "http.request.method", "http.method", "http.route",
	"rpc.response.status_code", "rpc.grpc.status_code", "rpc.method", "rpc.service",
	"server.address", "db.system.name", "net.peer.name",
	"db.client.connection.pool.name", "db.client.connection.state", "pool.name", "jvm.memory.type",
	"k8s.pod.name", "k8s.namespace.name", "k8s.container.name", "cloud.availability_zone", "host.name",
}

var (
	suffixes = []string{"_bucket", "_count", "_sum", "_total"}
	units    = []string{"_seconds", "_milliseconds", "_bytes", "_ratio"}
)

// Underscored is a name as Prometheus translates it.
func Underscored(name string) string { return strings.ReplaceAll(name, ".", "_") }

// DottedMetrics are the names with dots under which a metric of the catalogue may
// be stored, the likeliest first; none for other metrics.
func DottedMetrics(name string) (names []string) {
	base, suffix := cut(name, suffixes)
	if slices.ContainsFunc(dottedMetrics, func(dotted string) bool { return Underscored(dotted) == name }) {
		base, suffix = name, "" // db_client_connection_count is no part of a histogram
	}
	stem, unit := cut(base, units)
	for _, dotted := range dottedMetrics {
		if Underscored(dotted) != stem && Underscored(dotted) != base {
			continue
		}
		names = append(names, dotted+unit+suffix, dotted+suffix)
		if suffix == "_total" {
			names = append(names, dotted+unit, dotted)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// DottedLabel is the name with dots of a label; the name itself where it has none.
func DottedLabel(name string) string {
	for _, dotted := range dottedLabels {
		if Underscored(dotted) == name {
			return dotted
		}
	}
	return name
}

// cut splits one of the endings off a name.
func cut(name string, endings []string) (base, ending string) {
	for _, one := range endings {
		if base, has := strings.CutSuffix(name, one); has {
			return base, one
		}
	}
	return name, ""
}

// AllDotted are all names with dots under which metrics of the catalogue may be
// stored.
func AllDotted() (names []string) {
	for _, dotted := range dottedMetrics {
		for _, unit := range append([]string{""}, units...) {
			for _, suffix := range append([]string{""}, suffixes...) {
				names = append(names, dotted+unit+suffix)
			}
		}
	}
	return names
}
