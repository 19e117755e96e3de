package frames_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
)

// TestLiveLinesHaveNamesOfTheirOwn: by name Grafana hands the values it holds
// to a new schema; lines of one name would share them.
func TestLiveLinesHaveNamesOfTheirOwn(t *testing.T) {
	judged := someAnomaly()
	judged.Series = append(judged.Series, judged.Series[0])
	live := frames.AnomalyLive(judged, query.Anomaly{})
	require.Len(t, live.Fields, 1+2*5)
	seen := map[string]bool{}
	for _, field := range live.Fields {
		require.False(t, seen[field.Name], field.Name)
		seen[field.Name] = true
	}
	panel, err := frames.Anomaly(judged, query.Anomaly{}, query.Panel)
	require.NoError(t, err)
	for row := range panel[0].Rows() {
		require.Equal(t, panel[0].Fields[1].At(row), live.Fields[1].At(row), "the panel's values")
	}
}
