//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestJaegerOverTheShop asks a real Jaeger for what Tempo is asked for: a
// deploy is found in samples, and the slow statement is named. Jaeger takes
// long to build, so that only FORESIGHT_LAB=build makes it be built here.
func TestJaegerOverTheShop(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the lab's servers; run without -short")
	}
	user, err := os.UserCacheDir()
	require.NoError(t, err)
	built, err := filepath.Glob(filepath.Join(user, "foresight", "lab", "jaeger-*"))
	require.NoError(t, err)
	if len(built) == 0 && os.Getenv("FORESIGHT_LAB") != "build" {
		t.Skip("Jaeger is not built yet; run with FORESIGHT_LAB=build (once; minutes)")
	}
	l, err := harness.StartLab(t.Context(), os.Stderr, "-servers", "jaeger", "-history", "0")
	require.NoError(t, err)
	defer l.Stop()
	settings := map[string]any{"traces": map[string]any{"kind": "jaeger", "url": l.Jaeger}}
	source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(settings, nil)}
	from := time.Now()
	time.Sleep(30 * time.Second) // traffic to compare with
	deployed := time.Now()
	require.NoError(t, l.Deploy(t.Context(), "orders", "2.0.0", "slow-query"))

	question := map[string]any{"queryType": "traceDiff", "service": "orders"}
	eventually(t, 90*time.Second, "the regression is found", func() error {
		frames, err := source.Ask(t.Context(), from, time.Now(), question)
		require.NoError(t, err)
		summary, err := harness.Frame(frames, "summary")
		require.NoError(t, err)
		reason := harness.Text(summary, "reason", 0)
		return unless(harness.Text(summary, "verdict", 0) == "regressed" && strings.Contains(reason, "SELECT"), "%s", reason)
	})
	deploys, err := source.Ask(t.Context(), from, time.Now(), map[string]any{"queryType": "deploys", "service": "orders"})
	require.NoError(t, err)
	last := deploys[0].Rows() - 1
	require.Equal(t, "2.0.0", harness.Text(deploys[0], "version", last))
	field, _ := deploys[0].FieldByName("first_seen")
	require.NotNil(t, field)
	arrived, ok := field.ConcreteAt(last)
	require.True(t, ok)
	require.WithinDuration(t, deployed, arrived.(time.Time), 30*time.Second)

	eventually(t, 60*time.Second, "the statement is to blame", func() error {
		frames, err := source.Ask(t.Context(), from, time.Now(), map[string]any{"queryType": "rootCause", "service": "orders"})
		require.NoError(t, err)
		suspects, err := harness.Frame(frames, "suspects")
		require.NoError(t, err)
		return unless(suspects.Rows() > 0 && harness.Text(suspects, "cause", 0) == "statement", "%d suspects", suspects.Rows())
	})
	frames, err := source.Ask(t.Context(), from, time.Now(), map[string]any{"queryType": "serviceMap"})
	require.NoError(t, err)
	require.GreaterOrEqual(t, frames[0].Rows(), 10)

	_, err = source.Ask(t.Context(), from, time.Now(), map[string]any{
		"queryType": "traceDiff", "service": "orders", "baseline": map[string]any{"traceQL": "{ status = error }"}})
	require.ErrorContains(t, err, "it knows no TraceQL")
	health, err := source.Plugin.Health(t.Context(), source.Context)
	require.NoError(t, err)
	require.Contains(t, health.Message, "Jaeger: connected; no TraceQL metrics")
}
