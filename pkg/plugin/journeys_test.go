package plugin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/query"
)

func TestJourneySettings(t *testing.T) {
	settings, err := ParseSettings(instance(`{"journeys": [{"name": "Checkout", "steps": [{"service": "web", "operation": "GET /"}, {"name": "Search", "traceQL": "{ name = \"search\" }"}]}]}`, nil))
	require.NoError(t, err)
	require.Empty(t, settings.Notices)
	require.Equal(t, []query.JourneyStep{{Service: "web", Operation: "GET /"}, {Name: "Search", TraceQL: `{ name = "search" }`}}, settings.Journeys[0].Steps)
	for text, said := range map[string]string{
		`[{"steps": [{"service": "web", "operation": "GET /"}]}]`: "journeys[0].name is missing",
		`[{"name": "a"}]`: "journeys[0].steps are missing",
		`[{"name": "a", "steps": [{"service": "web"}]}]`:                                             "journeys[0].steps[0] needs a service and an operation",
		`[{"name": "a", "steps": [{"service": "web", "operation": "x", "traceQL": "{}"}]}]`:          "give one of both",
		`[{"name": "a", "steps": [{"traceQL": "{}"}]}, {"name": "a", "steps": [{"traceQL": "{}"}]}]`: "that of an earlier journey",
		`{"name": "a"}`: "journeys must be a list",
	} {
		_, err := ParseSettings(instance(`{"journeys": `+text+`}`, nil))
		require.ErrorContains(t, err, said)
	}
}
