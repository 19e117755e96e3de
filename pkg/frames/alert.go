package frames

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// Grafana's rule evaluator turns every numeric field into an alert instance
// that is identified by its labels alone. So an alert answer is one row of
// numbers (numeric-wide) and nothing beside it. Null is its "no data"; NaN
// would alert under one condition and hide under another. Two instances with
// equal labels would fail the whole rule with a message that names no label.

// instance is one number for one label set.
type instance struct {
	labels series.Labels
	value  float64 // NaN for no answer
	model  model
}

// alertFrames is one frame with one field per instance, without fields where
// there is no instance; empty says why.
func alertFrames(name string, instances []instance, basis engine.Provenance, notices remarks, empty string) (data.Frames, error) {
	frame := newFrame(name, data.FrameTypeNumericWide, "", basis)
	needed, dropped := neededLabels(instances)
	seen := map[string]bool{}
	for _, one := range instances {
		labels := alertLabels(one.labels, needed)
		key := labels.String()
		if seen[key] {
			return nil, duplicate(key)
		}
		seen[key] = true
		one.model.log(frame, key)
		frame.Fields = append(frame.Fields, data.NewField(name, data.Labels(labels), []*float64{nullable(one.value)}))
	}
	if len(dropped) > 0 {
		notices.add(data.NoticeSeverityInfo, fmt.Sprintf("Labels that change with every deploy or request are left out of alerts: %s.", strings.Join(dropped, ", ")))
	}
	if len(instances) == 0 {
		notices.add(data.NoticeSeverityInfo, empty)
	}
	return notices.attach(data.Frames{frame}), nil
}

func duplicate(labels string) error {
	return &engine.UserError{Message: fmt.Sprintf(
		"more than one series has the labels %s: aggregate the query so that one series is left for each, as in sum by (service_name) (...)", labels)}
}

// volatileLabels change while the thing that is watched stays the same.
var volatileLabels = map[string]bool{
	"version": true, "service_version": true, "app_kubernetes_io_version": true,
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
// dropped.
func neededLabels(instances []instance) (needed map[string]bool, dropped []string) {
	groups := map[string][]series.Labels{}
	volatile := map[string]bool{}
	for _, one := range instances {
		every := alertLabels(one.labels, volatileLabels)
		key := alertLabels(one.labels, nil).String()
		groups[key] = append(groups[key], every)
		for name := range every {
			volatile[name] = volatile[name] || volatileLabels[name]
		}
	}
	needed = map[string]bool{}
	for _, group := range groups {
		for name := range volatile {
			if volatile[name] && slices.ContainsFunc(group, func(l series.Labels) bool { return l[name] != group[0][name] }) {
				needed[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(volatile)) {
		if volatile[name] && !needed[name] {
			dropped = append(dropped, name)
		}
	}
	return needed, dropped
}

// alertLabels are the labels under which an alert instance lives: names that
// Prometheus accepts, no metric name (the number is not that metric any more)
// and of the volatile ones only those that are needed. An empty label is no
// label, as in Prometheus. Two names that become the same one share it, values
// joined by ";" in the order of the names, as OpenTelemetry's translation to
// Prometheus has it.
func alertLabels(labels series.Labels, needed map[string]bool) series.Labels {
	kept := series.Labels{}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		clean := labelName(name)
		value := strings.ToValidUTF8(labels[name], "�")
		switch {
		case clean == "__name__" || value == "" || volatileLabels[clean] && !needed[clean]:
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

// valueOf is the number of an instance: the answer, or whether it fires.
func valueOf(asked query.Value, number, firing func() float64) float64 {
	if asked == query.Firing {
		return firing()
	}
	return number()
}

// alertName is the name of an alert's numbers.
func alertName(asked query.Value, number string) string {
	if asked == query.Firing {
		return string(query.Firing)
	}
	return number
}
