//go:build integration

package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// The shop's two journeys: each step is found in span metrics, and all customers
// who place an order come through.
func TestJourneysOverTheShop(t *testing.T) {
	source, _ := shop(t)
	names, err := source.Ask(t.Context(), time.Now().Add(-time.Hour), time.Now(), map[string]any{"queryType": "journeys"})
	require.NoError(t, err)
	require.True(t, holds(names, "Account") && holds(names, "Browse to checkout"))
	question := map[string]any{"queryType": "journey", "history": "1h"}
	eventually(t, 3*time.Minute, "the steps of both journeys", func() error {
		to := time.Now()
		panel, err := source.Ask(t.Context(), to.Add(-10*time.Minute), to, question)
		if err != nil {
			return err
		}
		success, requests := harness.Numbers(panel[1], "step_success"), harness.Numbers(panel[1], "requests")
		if err := unless(len(success) == 6 && len(requests) == 6, "%d steps", len(success)); err != nil {
			return err
		}
		for i := range success {
			if err := unless(success[i] > 0.9 && requests[i] > 0, "step %d: %g requests a minute, success %g", i, requests[i], success[i]); err != nil {
				return err
			}
		}
		return nil
	})
	rule, err := source.AskAsRule(t.Context(), time.Now().Add(-30*time.Minute), time.Now(), question)
	require.NoError(t, err)
	require.Len(t, rule[0].Fields, 2, "an instance for each journey")
}
