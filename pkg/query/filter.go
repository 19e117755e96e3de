package query

import (
	"fmt"

	"github.com/prometheus/common/model"
)

// Filter narrows every series that a metric's PromQL selects, as the ad-hoc
// filters of a dashboard do.
type Filter struct {
	// Key is the label.
	Key string `json:"key"`
	// Operator is "=" (default), "!=", "=~" or "!~".
	Operator string `json:"operator,omitempty"`
	// Value is the label's value, or an anchored regular expression.
	Value string `json:"value"`
}

const maxFilters = 50

func checkFilters(all []Filter) error {
	if len(all) > maxFilters {
		return fmt.Errorf("filters: %d are too many; at most %d", len(all), maxFilters)
	}
	for i, f := range all {
		field := fmt.Sprintf("filters[%d]", i)
		if !model.UTF8Validation.IsValidLabelName(f.Key) || f.Key == model.MetricNameLabel {
			return fmt.Errorf("%s.key: %.60q is not the name of a label", field, f.Key)
		}
		if err := first(
			checkChoice(field+".operator", f.Operator, "=", "!=", "=~", "!~"),
			checkName(field+".value", f.Value),
		); err != nil {
			return err
		}
	}
	return nil
}
