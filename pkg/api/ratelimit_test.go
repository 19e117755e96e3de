package api

import (
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/budget"
)

// TestAgentsAreViewers: with a service account an agent is no engine, whose
// reserve it could use up in a loop.
func TestAgentsAreViewers(t *testing.T) {
	request := backend.PluginContext{OrgID: 1, User: &backend.User{Login: "sa-agent", Role: "Viewer"}}
	require.Equal(t, budget.Engine, budget.OfRoute(request).Class)
	require.Equal(t, budget.Interactive, asViewer(request).Class)
}
