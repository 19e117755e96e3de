package metrics

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/query"
)

// TestMisspeltNamesAreErrors: a rule shows no notices, so that a model which does
// not exist must not look like missing data.
func TestMisspeltNamesAreErrors(t *testing.T) {
	var fault *core.UserError
	_, err := Evaluator{}.Forecast(t.Context(), query.Forecast{Expr: "up", Model: "Prophet"}.WithDefaults(), core.Window{})
	require.ErrorAs(t, err, &fault)
	require.ErrorContains(t, err, `model is "Prophet"`)
	require.ErrorContains(t, err, `did you mean "prophet"?`)
	_, err = Evaluator{}.Anomaly(t.Context(), query.Anomaly{Expr: "up", Model: "profet"}.WithDefaults(), core.Window{})
	require.ErrorAs(t, err, &fault)
	_, err = Evaluator{}.Anomaly(t.Context(), query.Anomaly{Expr: "up", Detectors: []string{"z-score", "cusm"}}.WithDefaults(), core.Window{})
	require.ErrorAs(t, err, &fault)
	require.ErrorContains(t, err, `detectors is "cusm"`)
	require.ErrorContains(t, err, `did you mean "cusum"?`)
}
