package ledger

import (
	"fmt"
	"strings"
)

// how a series shows changes.
type how int

const (
	byStep how = iota // its value changes
	byPresence
	byRise     // it counts
	byCrossing // it comes to a limit
	byInstant  // its value is a time
)

// probe is a metric of a well-known name that shows changes: of
// kube-state-metrics, cAdvisor, the blackbox exporter, cert-manager, Argo CD and
// Flux.
type probe struct {
	kind   string
	metric string // that must exist
	promQL string
	labels []string // that name what changed, the most specific first; the first that is there is reported
	how    how
	limit  float64
	text   string // $what is what changed, $before and $now are its values
	worse  bool   // it is bad news
}

var probes = []probe{
	{"replicas", "kube_deployment_spec_replicas", "max by (namespace, deployment) (kube_deployment_spec_replicas)", []string{"deployment"}, byStep, 0, "replicas of $what from $before to $now", false},
	{"replicas", "kube_statefulset_replicas", "max by (namespace, statefulset) (kube_statefulset_replicas)", []string{"statefulset"}, byStep, 0, "replicas of $what from $before to $now", false},
	{"autoscaler", "kube_horizontalpodautoscaler_status_desired_replicas", "max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_desired_replicas)", []string{"horizontalpodautoscaler"}, byStep, 0, "the autoscaler of $what wants $now replicas instead of $before", false},
	{
		"autoscaler", "kube_horizontalpodautoscaler_spec_max_replicas",
		"max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas / kube_horizontalpodautoscaler_spec_max_replicas)",
		[]string{"horizontalpodautoscaler"}, byCrossing, 1, "the autoscaler of $what is at its maximum", true,
	},
	{"config", "kube_configmap_metadata_resource_version", `max by (namespace, configmap) (kube_configmap_metadata_resource_version{configmap!~".*leader.*|.*lock.*|kube-root-ca.crt"})`, []string{"configmap"}, byStep, 0, "config map $what changed", false},
	{"config", "kube_secret_metadata_resource_version", `max by (namespace, secret) (kube_secret_metadata_resource_version{secret!~"sh.helm.release.*"})`, []string{"secret"}, byStep, 0, "secret $what changed", false},
	{"config", "kube_deployment_metadata_generation", "max by (namespace, deployment) (kube_deployment_metadata_generation)", []string{"deployment"}, byStep, 0, "specification of $what changed, generation $now", false},
	{"config", "kube_statefulset_metadata_generation", "max by (namespace, statefulset) (kube_statefulset_metadata_generation)", []string{"statefulset"}, byStep, 0, "specification of $what changed, generation $now", false},
	{"restart", "kube_pod_container_status_restarts_total", "sum by (namespace, pod, container) (kube_pod_container_status_restarts_total)", []string{"container", "pod"}, byRise, 0, "container $what restarted", true},
	{
		"outOfMemory", "kube_pod_container_status_last_terminated_reason",
		`max by (namespace, pod, container) (kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1)`,
		[]string{"container", "pod"}, byPresence, 0, "container $what was killed: out of memory", true,
	},
	{"outOfMemory", "container_oom_events_total", `sum by (namespace, pod, container) (container_oom_events_total{container!=""})`, []string{"container", "pod"}, byRise, 0, "container $what was killed: out of memory", true},
	{
		"throttling", "container_cpu_cfs_throttled_periods_total",
		`sum by (namespace, container) (rate(container_cpu_cfs_throttled_periods_total{container!=""}[5m])) / (sum by (namespace, container) (rate(container_cpu_cfs_periods_total{container!=""}[5m])) > 0)`,
		[]string{"container"}, byCrossing, 0.25, "the processor of $what is throttled in $now of its periods", true,
	},
	{"pods", "kube_pod_info", `count by (namespace, created_by_name) (kube_pod_info{created_by_kind=~"ReplicaSet|StatefulSet|DaemonSet"})`, []string{"created_by_name"}, byPresence, 0, "pods of $what from $before to $now", false},
	{"node", "kube_node_status_condition", `min by (node) (kube_node_status_condition{condition="Ready", status="true"})`, []string{"node"}, byStep, 0, "node $what is ready: $now (1 is yes)", true},
	{"node", "kube_node_spec_unschedulable", "max by (node) (kube_node_spec_unschedulable)", []string{"node"}, byStep, 0, "node $what is cordoned: $now (1 is yes)", false},
	{"node", "kube_node_info", "count by (node) (kube_node_info)", []string{"node"}, byPresence, 0, "node $what came or went: $now", false},
	{"certificate", "probe_ssl_earliest_cert_expiry", "min by (instance) (probe_ssl_earliest_cert_expiry)", []string{"instance"}, byInstant, 0, "certificate of $what expires", true},
	{"certificate", "probe_ssl_earliest_cert_expiry", "min by (instance) (probe_ssl_earliest_cert_expiry)", []string{"instance"}, byStep, 0, "certificate of $what was renewed", false},
	{"certificate", "certmanager_certificate_expiration_timestamp_seconds", "min by (namespace, name) (certmanager_certificate_expiration_timestamp_seconds)", []string{"name"}, byInstant, 0, "certificate $what expires", true},
	{"job", "kube_job_status_start_time", "max by (namespace, job_name) (kube_job_status_start_time)", []string{"job_name"}, byInstant, 0, "job $what started", false},
	{"job", "kube_job_status_failed", "max by (namespace, job_name) (kube_job_status_failed)", []string{"job_name"}, byCrossing, 1, "job $what failed", true},
	{"sync", "argocd_app_sync_total", "sum by (namespace, name, phase) (argocd_app_sync_total)", []string{"name", "phase"}, byRise, 0, "Argo CD synchronised $what", false},
	{"sync", "argocd_app_info", `max by (name, health_status) (argocd_app_info{health_status=~"Degraded|Missing"})`, []string{"name", "health_status"}, byPresence, 0, "Argo CD: $what", true},
	{"sync", "gotk_reconcile_condition", `max by (exported_namespace, name, kind) (gotk_reconcile_condition{type="Ready", status="False"})`, []string{"name", "kind"}, byCrossing, 1, "Flux could not reconcile $what", true},
	{"sync", "gotk_resource_info", `max by (name, revision) (gotk_resource_info{revision!=""})`, []string{"name", "revision"}, byPresence, 0, "Flux applied $what", false},
}

// describe is the change in words.
func (p probe) describe(what string, before, now float64) string {
	return strings.NewReplacer("$what", what, "$before", figure(before), "$now", figure(now)).Replace(p.text)
}

func figure(v float64) string {
	if v != v { // NaN: not there
		return "none"
	}
	return fmt.Sprintf("%.3g", v)
}
