package plugin

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

func TestObjectiveSettings(t *testing.T) {
	parse := func(json string) (Settings, error) {
		return ParseSettings(backend.DataSourceInstanceSettings{JSONData: []byte(json)})
	}
	settings, err := parse(`{"objectives":[{"name":"a","service":"shop","target":"0.99","window":"7d","errors":"bad","total":"all"}],
		"objectivesYaml":"name: b\nquery: {type: freeform, freeform: {query: x}}\nobjectives: [{value: 0.9, window: 30d}]\n---\nname: c\n"}`)
	require.NoError(t, err)
	require.Len(t, settings.Objectives, 2)
	require.Equal(t, 7*24*time.Hour, settings.Objectives[0].Window)
	require.Equal(t, "1 - (x)", settings.Objectives[1].Errors)
	require.Len(t, settings.Notices, 1)
	require.Contains(t, settings.Notices[0], `"c" in objectivesYaml is not used`)
	for json, want := range map[string]string{
		`{"objectives":[{"name":"a","target":0.9,"errors":"x","total":"y"},{"name":"a","target":0.99,"errors":"x","total":"y"}]}`: "the targets 0.9 and 0.99",
		`{"objectives":[{"name":"a","target":0.9,"errors":"x","good":"z","total":"y"}]}`:                                          "contradict each other",
		`{"objectives":[{"name":"a","target":0.9}]}`:                                                                              "errors is missing",
		`{"objectives":[{"name":"a","target":1,"errors":"x"}]}`:                                                                   "between 0 and 1",
		`{"objectives":[{"target":0.9,"errors":"x"}]}`:                                                                            "no name",
		`{"objectivesYaml":"a: ["}`:                                                                                               "objectivesYaml cannot be read",
	} {
		_, err := parse(json)
		require.ErrorContains(t, err, want, json)
	}
}
