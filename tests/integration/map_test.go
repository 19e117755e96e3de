//go:build integration

package integration

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestMapOverTheShop draws the shop: every edge with rate, errors, both ends'
// latencies and what lies between, retries and versions; databases, caches,
// queues and peers outside; and how far Tempo's own service graph agrees.
func TestMapOverTheShop(t *testing.T) {
	source, l := shop(t)
	require.NoError(t, l.Fault(t.Context(), "retry-storm"))
	from := time.Now()
	time.Sleep(70 * time.Second) // enough for rates of scraped metrics
	require.NoError(t, l.ClearFault(t.Context(), "retry-storm"))

	var nodes, edges *data.Frame
	var agreed []string
	eventually(t, 60*time.Second, "metrics and traces agree", func() error {
		frames, err := source.Ask(t.Context(), from, time.Now(), map[string]any{"queryType": "serviceMap", "compare": "none", "maxTraces": 2000})
		require.NoError(t, err)
		nodes, err = harness.Frame(frames, "nodes")
		require.NoError(t, err)
		edges, err = harness.Frame(frames, "edges")
		require.NoError(t, err)
		var reported []string
		for _, notice := range nodes.Meta.Notices {
			reported = append(reported, notice.Text)
		}
		agreed = regexp.MustCompile(`(\d+) of (\d+) edges agree with Tempo's service-graph metrics`).FindStringSubmatch(strings.Join(reported, " "))
		if agreed == nil || agreed[2] == "0" {
			return fmt.Errorf("%s", strings.Join(reported, "; "))
		}
		return unless(agreed[1] == agreed[2], "%s", strings.Join(reported, "; "))
	})
	t.Log(agreed[0])
	types := map[string]int{}
	for row := range nodes.Rows() {
		types[harness.Text(nodes, "detail__type", row)]++
	}
	for _, kind := range []string{"service", "database", "cache", "queue", "external"} {
		require.Positive(t, types[kind], "%s among %v", kind, types)
	}
	column := map[string]map[string]string{}
	for row := range edges.Rows() {
		cells := map[string]string{}
		for _, field := range edges.Fields {
			cells[field.Name] = harness.Text(edges, field.Name, row)
		}
		column[cells["id"]] = cells
	}
	call := column["web → catalog"]
	require.NotNil(t, call, "%v", column)
	for name, shape := range map[string]string{
		"mainstat":         `(µs|ms|s)$`,
		"secondarystat":    `\d/s, [\d.]+ % failed$`,
		"detail__client":   `^[\d.]+ (µs|ms|s) / [\d.]+ (µs|ms|s)$`,
		"detail__server":   `^[\d.]+ (µs|ms|s) / [\d.]+ (µs|ms|s)$`,
		"detail__gap":      `^[\d.]+ (µs|ms|s) / [\d.]+ (µs|ms|s)$`,
		"detail__retries":  `^([1-9]|0\.).* %$`,
		"detail__errors":   `^[1-9].* % \(.*–.*\)$`,
		"detail__versions": `^\S+ → \S+`,
		"detail__metrics":  `\d/(s|min)$`,
		"detail__trace":    `^[0-9a-f]{32}$`,
	} {
		require.Regexp(t, shape, call[name], name)
	}
	require.Contains(t, column, "orders → database:postgresql:shop", "the database is a node of its own")
}
