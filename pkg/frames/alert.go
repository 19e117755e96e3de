package frames

import (
	"fmt"
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
	all := make([]series.Labels, len(instances))
	for i, one := range instances {
		all[i] = one.labels
	}
	kept, dropped := series.InstanceLabels(all)
	seen := map[string]bool{}
	for i, one := range instances {
		labels := kept[i]
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
