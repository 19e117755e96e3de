package plugin

import (
	"strings"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/answer"
)

// signalSetting is one of the signals in the settings.
func signalSetting(f fields) answer.SignalSetting {
	or := func(value *float64, fallback float64) float64 {
		if value == nil {
			return fallback
		}
		return *value
	}
	s := answer.SignalSetting{
		Name: f.text("name", ""), Kind: f.text("kind", ""), Expr: f.text("expr", ""), Unit: f.text("unit", ""),
		Quantiles:    f.quantities("quantiles"),
		Direction:    anomaly.Direction(f.choice("direction", string(anomaly.Both), string(anomaly.Above), string(anomaly.Below))),
		MinDeviation: or(f.quantity("minDeviation"), 0),
		Weight:       or(f.quantity("weight"), 1),
	}
	if err := s.Check(); err != nil {
		*f.problems = append(*f.problems, strings.TrimSuffix(f.path, ".")+": "+err.Error())
	}
	return s
}
