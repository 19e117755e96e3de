//go:build integration

package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRareRequests asks for a sample that is smaller than the traffic: the real
// Tempo is asked for the rarer kinds of requests by themselves.
func TestRareRequests(t *testing.T) {
	source, _ := shop(t)
	from := time.Now()
	eventually(t, 60*time.Second, "more traces than the sample holds", func() error {
		frames, err := source.Ask(t.Context(), from.Add(-20*time.Second), time.Now(), map[string]any{
			"queryType": "patterns", "service": "web", "compare": "none", "maxTraces": 60})
		if err != nil {
			return err
		}
		executed := frames[0].Meta.ExecutedQueryString
		for _, notice := range frames[0].Meta.Notices {
			require.NotContains(t, notice.Text, "rejected")
		}
		return unless(strings.Count(executed, "trace:rootName != ") > 0, "%s", executed)
	})
}
