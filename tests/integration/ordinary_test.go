//go:build integration

package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// TestOrdinaryShop asks a shop without faults for patterns: there are none to
// be found, but those that the shop is built with.
func TestOrdinaryShop(t *testing.T) {
	source, _ := shop(t)
	from := time.Now()
	time.Sleep(60 * time.Second)
	for _, service := range []string{"web", "checkout", "cart", "catalog", "payment", "orders"} {
		frames, err := source.Ask(t.Context(), from, time.Now(), map[string]any{"queryType": "patterns", "service": service, "compare": "none", "maxTraces": 1000})
		require.NoError(t, err)
		for row := range frames[0].Rows() {
			t.Errorf("%s: %s", harness.Text(frames[0], "pattern", row), harness.Text(frames[0], "evidence", row))
		}
	}
}
