package budget

import (
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

func TestCallers(t *testing.T) {
	of := func(user *backend.User) backend.PluginContext {
		return backend.PluginContext{OrgID: 3, User: user, DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{ID: 7, UID: "f"}}
	}
	viewer := &backend.User{Login: "eve", Role: "Viewer"}
	require.Equal(t, Caller{Interactive, "3/eve", "3/7/f"}, Of(of(viewer), false))
	require.Equal(t, Rule, Of(of(nil), true).Class)
	require.Equal(t, Rule, Of(of(&backend.User{Login: "grafana_scheduler"}), true).Class)
	require.Equal(t, Rule, Of(of(&backend.User{Login: "ed", Role: "Editor"}), true).Class, "a preview")
	require.Equal(t, Interactive, Of(of(viewer), true).Class, "a viewer evaluates no rules")
	require.Equal(t, Interactive, Of(of(nil), false).Class)
	require.Equal(t, Engine, OfRoute(of(&backend.User{Login: "sa-1-keda", Role: "Viewer"})).Class)
	require.Equal(t, Interactive, OfRoute(of(viewer)).Class)
	other := of(viewer)
	other.OrgID = 4
	require.NotEqual(t, OfRoute(of(viewer)).User, OfRoute(other).User, "logins of organisations are apart")
	require.NotPanics(t, func() { OfRoute(backend.PluginContext{}) })
}
