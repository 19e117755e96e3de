package query

import (
	"encoding/json"

	"github.com/foresight-observability/foresight/pkg/internal/lenient"
)

// UnmarshalJSON takes the time as a number, too: events have it in milliseconds.
func (f *Feedback) UnmarshalJSON(raw []byte) error {
	var label struct {
		Time lenient.Text
		Real *bool
	}
	if err := json.Unmarshal(raw, &label); err != nil {
		return err
	}
	*f = Feedback{Time: string(label.Time), Real: label.Real}
	return nil
}
