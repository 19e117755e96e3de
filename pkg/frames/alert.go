package frames

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/foresight-observability/foresight/pkg/engine"
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
	seen := map[string]bool{}
	dropped := map[string]bool{}
	for _, one := range instances {
		labels, volatile := alertLabels(one.labels)
		for _, label := range volatile {
			dropped[label] = true
		}
		key := labels.String()
		if seen[key] {
			return nil, duplicate(key, slices.Sorted(maps.Keys(dropped)))
		}
		seen[key] = true
		one.model.log(frame, key)
		frame.Fields = append(frame.Fields, data.NewField(name, data.Labels(labels), []*float64{nullable(one.value)}))
	}
	if len(dropped) > 0 {
		notices.add(data.NoticeSeverityInfo, fmt.Sprintf("Labels that change with every deploy or request are left out of alerts: %s.",
			strings.Join(slices.Sorted(maps.Keys(dropped)), ", ")))
	}
	if len(instances) == 0 {
		notices.add(data.NoticeSeverityInfo, empty)
	}
	return notices.attach(data.Frames{frame}), nil
}

func duplicate(labels string, dropped []string) error {
	reason := ""
	if len(dropped) > 0 {
		reason = fmt.Sprintf(" (%s left out: it would give alerts another identity at every deploy or request)", strings.Join(dropped, ", "))
	}
	return fmt.Errorf("more than one series has the labels %s%s: aggregate the query so that one series is left for each, as in sum by (service_name) (...)",
		labels, reason)
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

// alertLabels are the labels under which an alert instance lives: names that
// Prometheus accepts, no metric name (the number is not that metric any more)
// and nothing volatile, which is returned apart. An empty label is no label, as
// in Prometheus. Two names that become the
// same one share it, values joined by ";" in the order of the names, as
// OpenTelemetry's translation to Prometheus has it.
func alertLabels(labels series.Labels) (kept series.Labels, volatile []string) {
	kept = series.Labels{}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		clean := labelName(name)
		value := strings.ToValidUTF8(labels[name], "�")
		switch {
		case clean == "__name__" || value == "":
		case volatileLabels[clean]:
			volatile = append(volatile, clean)
		case kept[clean] != "":
			kept[clean] += ";" + value
		default:
			kept[clean] = value
		}
	}
	return kept, volatile
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
