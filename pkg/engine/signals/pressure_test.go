package signals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/wellknown"
)

func gauge(value float64, name string, labels ...string) enginetest.Scraped {
	return enginetest.Scraped{
		Labels: enginetest.Named(name, labels...), From: noon.Add(-3 * time.Hour), To: noon, Every: 15 * time.Second,
		Value: func(time.Time) float64 { return value },
	}
}

// used is the use of each resource now, where 1 is its limit.
func used(t *testing.T, all ...enginetest.Scraped) map[string]float64 {
	t.Helper()
	server := enginetest.NewPromServer(all...)
	finder := signals.Finder{Sources: core.Sources{Metrics: server}}
	found, err := finder.Pressures(t.Context(), "orders", noon.Add(-time.Hour), noon)
	require.NoError(t, err)
	if len(found) == 0 {
		return nil
	}
	set, err := server.QueryRange(t.Context(), signals.PressureExpr(found, time.Minute), upstream.Range{Start: noon, End: noon, Step: time.Minute})
	require.NoError(t, err)
	use := map[string]float64{}
	for _, one := range set.Series {
		require.Len(t, one.Labels, 1)
		use[one.Labels[signals.ResourceLabel]] = one.Values[0]
	}
	return use
}

func TestUseOfResources(t *testing.T) {
	limit := func(resource string, value float64, pod string) enginetest.Scraped {
		return gauge(value, "kube_pod_container_resource_limits", "container", "orders", "namespace", "shop", "pod", pod, "resource", resource)
	}
	of := []string{"service_name", "orders", "instance", "a"}
	cases := map[string]struct {
		all      []enginetest.Scraped
		resource string
		use      float64
	}{
		"memory of the fullest pod": {[]enginetest.Scraped{
			limit("memory", 100, "a"), limit("memory", 100, "b"),
			gauge(19, "container_memory_working_set_bytes", "container", "orders", "namespace", "shop", "pod", "a"),
			gauge(76, "container_memory_working_set_bytes", "container", "orders", "namespace", "shop", "pod", "b"),
		}, wellknown.MemoryResource, 0.8},
		"processor": {[]enginetest.Scraped{limit("cpu", 2, "a"),
			counter(1.9, 1.9, "container_cpu_usage_seconds_total", "container", "orders", "namespace", "shop", "pod", "a")}, wellknown.ProcessorResource, 1},
		"heap of OpenTelemetry": {[]enginetest.Scraped{
			gauge(475, "jvm_memory_used_bytes", append(of, "jvm_memory_type", "heap")...), gauge(1000, "jvm_memory_limit_bytes", append(of, "jvm_memory_type", "heap")...),
		}, wellknown.HeapResource, 0.5},
		"heap of Micrometer, in two areas": {[]enginetest.Scraped{
			gauge(200, "jvm_memory_used_bytes", append(of, "area", "heap", "id", "old")...), gauge(-1, "jvm_memory_max_bytes", append(of, "area", "heap", "id", "eden")...),
			gauge(180, "jvm_memory_used_bytes", append(of, "area", "heap", "id", "eden")...), gauge(400, "jvm_memory_max_bytes", append(of, "area", "heap", "id", "old")...),
		}, wellknown.HeapResource, 1},
		"garbage collection": {[]enginetest.Scraped{counter(0.1, 0.1, "jvm_gc_duration_seconds_sum", of...)}, wellknown.CollectionResource, 0.5},
		"threads":            {[]enginetest.Scraped{gauge(190, "tomcat_threads_busy_threads", of...), gauge(200, "tomcat_threads_config_max_threads", of...)}, wellknown.ThreadsResource, 1},
		"file descriptors":   {[]enginetest.Scraped{gauge(450, "process_open_fds", of...), gauge(1000, "process_max_fds", of...)}, wellknown.DescriptorsResource, 0.5},
		"the disk of a claim": {[]enginetest.Scraped{
			gauge(72, "kubelet_volume_stats_used_bytes", "persistentvolumeclaim", "data-orders-0"), gauge(100, "kubelet_volume_stats_capacity_bytes", "persistentvolumeclaim", "data-orders-0"),
			gauge(99, "kubelet_volume_stats_used_bytes", "persistentvolumeclaim", "data-web-orders-0"), gauge(100, "kubelet_volume_stats_capacity_bytes", "persistentvolumeclaim", "data-web-orders-0"),
		}, wellknown.DiskResource, 0.8},
		"Kafka": {[]enginetest.Scraped{
			gauge(1500, "kafka_consumergroup_lag", "consumergroup", "orders"), counter(10, 10, "kafka_consumergroup_current_offset", "consumergroup", "orders"),
		}, wellknown.QueueResource, 0.5},
		"SQS":       {[]enginetest.Scraped{gauge(300, "aws_sqs_approximate_age_of_oldest_message_maximum", "dimension_QueueName", "orders")}, wellknown.QueueResource, 1},
		"Go's pool": {[]enginetest.Scraped{gauge(19, "go_sql_in_use_connections", append(of, "db_name", "x")...), gauge(20, "go_sql_max_open_connections", append(of, "db_name", "x")...)}, wellknown.PoolResource, 1},
		"pgx":       {[]enginetest.Scraped{gauge(19, "pgxpool_acquired_conns", append(of, "db_name", "x")...), gauge(20, "pgxpool_max_conns", append(of, "db_name", "x")...)}, wellknown.PoolResource, 1},
		"a certificate of 14 days": {[]enginetest.Scraped{
			gauge(float64(noon.Add(14*24*time.Hour).Unix()), "certmanager_certificate_expiration_timestamp_seconds", "name", "orders-tls"),
		}, wellknown.CertificateResource, 0.5},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			use := used(t, c.all...)
			require.Contains(t, use, c.resource)
			require.InDelta(t, c.use, use[c.resource], 0.01)
		})
	}
}

// Without a limit there is no share, and another's resources are not the service's.
func TestUseWithoutLimit(t *testing.T) {
	require.Empty(t, used(t, gauge(450, "process_open_fds", "service_name", "orders"), gauge(0, "process_max_fds", "service_name", "orders")))
	require.Nil(t, used(t, gauge(5, "process_open_fds", "service_name", "orders2"), gauge(10, "process_max_fds", "service_name", "orders2"),
		gauge(9, "aws_sqs_approximate_age_of_oldest_message_maximum", "dimension_QueueName", "orders-archive")))
}

// Every pressure is PromQL that a service's matcher narrows, of one number.
func TestPressuresAreComplete(t *testing.T) {
	for _, p := range wellknown.Pressures {
		require.Contains(t, wellknown.Resources, p.Resource)
		require.Positive(t, p.Limit)
		require.Contains(t, p.Use, p.Metric)
		require.Equal(t, p.Label == "", p.Pattern == "")
	}
}
