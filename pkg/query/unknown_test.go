package query

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnknownFields(t *testing.T) {
	for raw, want := range map[string][]string{
		`{"expr":"up","refId":"A","datasource":{"uid":"x"},"intervalMs":1000,"maxDataPoints":1}`: nil,
		`{"expr":"up","horizn":"2h"}`:  {`horizn (did you mean "horizon"?)`},
		`{"expr":"up","Model":"ets"}`:  {`Model (did you mean "model"?)`},
		`{"expr":"up","colour":"red"}`: {"colour"},
	} {
		require.Equal(t, want, UnknownFields(Forecast{}, json.RawMessage(raw)), raw)
	}
	require.Equal(t, []string{`baseline.versio (did you mean "baseline.version"?)`},
		UnknownFields(TraceDiff{}, json.RawMessage(`{"service":"cart","baseline":{"versio":"1"}}`)))
	require.Equal(t, []string{`filters[1].vlaue (did you mean "filters[1].value"?)`},
		UnknownFields(Anomaly{}, json.RawMessage(`{"expr":"up","filters":[{"key":"a","value":"b"},{"key":"a","vlaue":"b"}]}`)))
}

func TestCheckKnownNamesTheNearest(t *testing.T) {
	models := []string{"auto", "prophet", "ets", "seasonal-naive"}
	require.NoError(t, CheckKnown("model", "prophet", models))
	require.EqualError(t, CheckKnown("model", "Prophet", models), `model is "Prophet": choose one of auto, prophet, ets, seasonal-naive; did you mean "prophet"?`)
	require.EqualError(t, CheckKnown("model", "lstm-xxxxxxxx", models), `model is "lstm-xxxxxxxx": choose one of auto, prophet, ets, seasonal-naive`)
	require.ErrorContains(t, CheckKnown("model", "sesonal-naive", models), `did you mean "seasonal-naive"?`)
}
