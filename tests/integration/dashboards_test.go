//go:build integration

package integration

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// mayBeEmpty are the questions to which "nothing found" is an answer.
var mayBeEmpty = []string{"traceDiff", "rootCause", "patterns", "impact", "replay"}

// TestShippedDashboards asks what each panel asks: about the shop, of which
// service orders stands for the choice of a person.
func TestShippedDashboards(t *testing.T) {
	source, _ := shop(t)
	queries, err := harness.PanelQueries("orders")
	require.NoError(t, err)
	for _, queried := range queries {
		t.Run(queried.Dashboard+"/"+queried.Panel, func(t *testing.T) {
			eventually(t, time.Minute, "an answer that shows something", func() error {
				now := time.Now()
				frames, err := source.Ask(t.Context(), now.Add(queried.From), now.Add(queried.To), queried.Model)
				if err != nil {
					return err
				}
				for _, frame := range frames {
					if frame.Rows() > 0 || slices.Contains(mayBeEmpty, queried.Model["queryType"].(string)) {
						return nil
					}
				}
				return fmt.Errorf("an empty panel: %d frames", len(frames))
			})
		})
	}
}
