//go:build integration

package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestTracesSayWhy deploys a loop of statements into the shop and asks what it
// is, who is to blame, and how the map changed.
func TestTracesSayWhy(t *testing.T) {
	source, l := shop(t)
	from := time.Now()
	time.Sleep(40 * time.Second) // traffic to compare with
	ask := func(model map[string]any) (data.Frames, error) {
		return source.Ask(t.Context(), from, time.Now(), model)
	}
	require.NoError(t, l.Deploy(t.Context(), "orders", "3.0.0", "n-plus-one"))

	var patterns *data.Frame
	eventually(t, 90*time.Second, "the loop is found", func() error {
		frames, err := ask(map[string]any{"queryType": "patterns", "service": "orders"})
		require.NoError(t, err)
		patterns = frames[0]
		return unless(patterns.Rows() > 0 && harness.Text(patterns, "change", 0) == "introduced", "%d patterns", patterns.Rows())
	})
	require.Equal(t, "n_plus_one", harness.Text(patterns, "pattern", 0))
	require.Equal(t, "GET /customers/{id}/orders", harness.Text(patterns, "operation", 0))
	require.Contains(t, harness.Text(patterns, "call", 0), "FROM order_items WHERE order_id = ?")
	require.Greater(t, harness.Number(patterns, "saved", 0), 1e6, "nanoseconds")
	require.Len(t, harness.Text(patterns, "trace", 0), 32)

	eventually(t, 60*time.Second, "the loop is to blame", func() error {
		frames, err := ask(map[string]any{"queryType": "rootCause", "service": "orders"})
		require.NoError(t, err)
		suspects, err := harness.Frame(frames, "suspects")
		require.NoError(t, err)
		if suspects.Rows() == 0 {
			return errors.New("no suspects")
		}
		require.Equal(t, "orders", harness.Text(suspects, "service", 0))
		return unless(harness.Text(suspects, "cause", 0) == "new_call" &&
			strings.Contains(harness.Text(suspects, "why", 0), "A pattern came with it") &&
			strings.Contains(harness.Text(suspects, "why", 0), "3.0.0"), "%s: %s", harness.Text(suspects, "cause", 0), harness.Text(suspects, "why", 0))
	})

	var nodes *data.Frame
	eventually(t, 150*time.Second, "the map shows more calls", func() error {
		frames, err := ask(map[string]any{"queryType": "serviceMap"})
		require.NoError(t, err)
		nodes, err = harness.Frame(frames, "nodes")
		require.NoError(t, err)
		edges, err := harness.Frame(frames, "edges")
		require.NoError(t, err)
		require.GreaterOrEqual(t, nodes.Rows(), 10)
		for row := range edges.Rows() {
			if harness.Text(edges, "id", row) == "orders → database:postgresql:shop" {
				change := harness.Text(edges, "detail__change", row)
				require.NotContains(t, change, "faster", "the further calls are shorter, none became faster")
				return unless(strings.Contains(change, "more calls"), "the edge says %q", change)
			}
		}
		return errors.New("no edge from orders to its database")
	})
	var reported []string
	for _, notice := range nodes.Meta.Notices {
		reported = append(reported, notice.Text)
	}
	t.Log(strings.Join(reported, "\n"))

	rule, err := source.AskAsRule(t.Context(), from, time.Now(), map[string]any{"queryType": "patterns", "service": "orders"})
	require.NoError(t, err)
	require.GreaterOrEqual(t, harness.Number(rule[0], rule[0].Fields[0].Name, 0), 1.0)
}
