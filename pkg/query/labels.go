package query

import (
	"fmt"

	"github.com/prometheus/common/model"
)

func checkLabels(names []string) error {
	if len(names) > maxExplainLabels {
		return fmt.Errorf("labels has %d names; at most %d are allowed", len(names), maxExplainLabels)
	}
	for _, name := range names {
		if !model.UTF8Validation.IsValidLabelName(name) || name == model.MetricNameLabel {
			return fmt.Errorf("labels: %.60q is not the name of a label", name)
		}
	}
	return nil
}
