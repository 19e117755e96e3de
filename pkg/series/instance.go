package series

import (
	"maps"
	"slices"
	"strings"
)

// InstanceLabels are the labels under which each of several numbers is an alert
// instance: names that Prometheus accepts, and of the metric's name and the labels
// that change with every deploy or request only those that tell instances apart.
// Dropped are the names of the others, but for the metric's.
func InstanceLabels(all []Labels) (kept []Labels, dropped []string) {
	needed, dropped := neededLabels(all)
	kept = make([]Labels, len(all))
	for i, labels := range all {
		kept[i] = alertLabels(labels, needed)
		if name, has := kept[i][metricName]; has {
			delete(kept[i], metricName)
			kept[i][metricLabel] = strings.TrimPrefix(kept[i][metricLabel]+";"+name, ";")
		}
	}
	return kept, dropped
}

// metricName is the label of a metric's name. The number of an instance is not that
// metric any more, so that where the name is needed it is an ordinary label,
// metricLabel.
const metricName, metricLabel = "__name__", "metric"

// volatileLabels change while the thing that is watched stays the same.
var volatileLabels = map[string]bool{
	metricName: true, "version": true, "service_version": true, "app_kubernetes_io_version": true,
	"pod": true, "pod_name": true, "pod_uid": true, "pod_ip": true, "pod_template_hash": true,
	"k8s_pod_name": true, "k8s_pod_uid": true, "k8s_pod_ip": true, "k8s_pod_start_time": true,
	"replicaset": true, "k8s_replicaset_name": true, "k8s_replicaset_uid": true,
	"container_id": true, "service_instance_id": true, "process_pid": true,
	"image": true, "image_id": true, "container_image_tag": true, "container_image_tags": true, "container_image_id": true,
	"trace_id": true, "traceID": true, "traceId": true, "traceid": true,
	"span_id": true, "spanID": true, "spanId": true, "spanid": true,
}

// neededLabels are the volatile labels that tell instances apart which would
// otherwise be the same, as pods of a StatefulSet; the other volatile labels are
// dropped. The name of a metric lasts longer than the rest, which is needed only
// where names do not suffice.
func neededLabels(instances []Labels) (needed map[string]bool, dropped []string) {
	every := make([]Labels, len(instances))
	volatile := map[string]bool{}
	for i, one := range instances {
		every[i] = alertLabels(one, volatileLabels)
		for name := range every[i] {
			if volatileLabels[name] {
				volatile[name] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(volatile))
	needed = map[string]bool{}
	for _, candidates := range [][]string{{metricName}, names} {
		groups := map[string][]Labels{}
		for i, one := range instances {
			key := alertLabels(one, needed).String()
			groups[key] = append(groups[key], every[i])
		}
		for _, group := range groups {
			for _, name := range candidates {
				if slices.ContainsFunc(group, func(l Labels) bool { return l[name] != group[0][name] }) {
					needed[name] = true
				}
			}
		}
	}
	for _, name := range names {
		if !needed[name] && name != metricName {
			dropped = append(dropped, name)
		}
	}
	return needed, dropped
}

// alertLabels are the labels under which an alert instance lives: names that
// Prometheus accepts, and of the volatile ones only those that are needed. An empty
// label is no label, as in Prometheus. Two names that become the same one share it, values
// joined by ";" in the order of the names, as OpenTelemetry's translation to
// Prometheus has it.
func alertLabels(labels Labels, needed map[string]bool) Labels {
	kept := Labels{}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		clean := labelName(name)
		value := strings.ToValidUTF8(labels[name], "�")
		switch {
		case value == "" || volatileLabels[clean] && !needed[clean]:
		case kept[clean] != "":
			kept[clean] += ";" + value
		default:
			kept[clean] = value
		}
	}
	return kept
}

// labelName replaces what a Prometheus label name must not contain.
func labelName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name)
	if clean == "" || clean[0] >= '0' && clean[0] <= '9' {
		clean = "_" + clean
	}
	return clean
}
