//go:build integration

package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestDeployOverTheShop is the main job as a test: no difference before, the
// statement named after, and the deploy listed with its arrival.
func TestDeployOverTheShop(t *testing.T) {
	source, l := shop(t)
	from := time.Now()
	time.Sleep(40 * time.Second) // traffic to compare with
	question := map[string]any{"queryType": "traceDiff", "service": "orders"}
	ask := func() (frames data.Frames, verdict, version, reason string) {
		frames, err := source.Ask(t.Context(), from, time.Now(), question)
		require.NoError(t, err)
		summary, err := harness.Frame(frames, "summary")
		require.NoError(t, err)
		return frames, harness.Text(summary, "verdict", 0), harness.Text(summary, "candidate_version", 0), harness.Text(summary, "reason", 0)
	}
	var verdict, version, reason string
	eventually(t, 60*time.Second, "enough traces to see no change", func() error {
		_, verdict, version, reason = ask()
		require.Contains(t, []string{"no_change", "insufficient"}, verdict, reason)
		return unless(verdict == "no_change", "%s: %s", verdict, reason)
	})

	deployed := time.Now()
	require.NoError(t, l.Deploy(t.Context(), "orders", "2.0.0", "slow-query"))
	var frames data.Frames
	eventually(t, 90*time.Second, "the regression is found", func() error {
		frames, verdict, version, reason = ask()
		return unless(verdict == "regressed" && version == "2.0.0", "%s of version %q: %s", verdict, version, reason)
	})
	// Within the first minute, the message that wakes somebody has the statement and
	// the deploy in it. Storing the spans takes most of that minute.
	requireSlackMessage(t, source, l, "orders", "SELECT", "orders 2.0.0 arrived")
	t.Logf("the cause is in Slack %.0f s after the deploy", time.Since(deployed).Seconds())
	require.Less(t, time.Since(deployed), 2*time.Minute)
	paths, err := harness.Frame(frames, "paths")
	require.NoError(t, err)
	require.Equal(t, "orders", harness.Text(paths, "service", 0), reason)
	require.Equal(t, "true", harness.Text(paths, "responsible", 0), reason)
	require.Contains(t, strings.ToUpper(harness.Text(paths, "operation", 0)), "SELECT", reason)
	require.Greater(t, harness.Number(paths, "effect_lower", 0), 1.25, reason)
	require.Len(t, harness.Text(paths, "candidate_trace", 0), 32)

	rule, err := source.AskAsRule(t.Context(), from, time.Now(), question)
	require.NoError(t, err)
	require.Len(t, rule, 1)
	require.Len(t, rule[0].Fields, 1)
	require.Equal(t, "orders", rule[0].Fields[0].Labels["service_name"])
	require.InDelta(t, 1, harness.Number(rule[0], rule[0].Fields[0].Name, 0), 0)

	deploys, err := source.Ask(t.Context(), from.Add(-5*time.Minute), time.Now(), map[string]any{"queryType": "deploys", "service": "orders"})
	require.NoError(t, err)
	require.Len(t, deploys, 1)
	last := deploys[0].Rows() - 1
	require.GreaterOrEqual(t, last, 1)
	found := false
	for row := 0; row <= last; row++ {
		if harness.Text(deploys[0], "version", row) == "2.0.0" {
			found = true
			field, _ := deploys[0].FieldByName("first_seen")
			require.NotNil(t, field)
			value, ok := field.ConcreteAt(row)
			require.True(t, ok)
			require.WithinDuration(t, deployed, value.(time.Time), 30*time.Second)
		}
	}
	require.True(t, found, "version 2.0.0 is listed")

	marks, err := source.Ask(t.Context(), from.Add(-5*time.Minute), time.Now(), map[string]any{
		"queryType": "deploys", "service": "orders", "format": "annotations"})
	require.NoError(t, err)
	require.Equal(t, 1, marks[0].Rows(), "one deploy, one mark")
	require.Contains(t, harness.Text(marks[0], "title", 0)+harness.Text(marks[0], "text", 0), "2.0.0")
}
