package topology_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace/topology"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// TestMalformedTraces checks that a lost cache shows on the map whatever else
// is wrong with the traces of both sides, and that the defect is told.
func TestMalformedTraces(t *testing.T) {
	for _, defect := range tracetest.Defects() {
		t.Run(defect.Name, func(t *testing.T) {
			before := tracetest.Harm(tracetest.Shop{Seed: 1, Traces: 300}.Generate(), defect)
			after := tracetest.Harm(tracetest.Shop{Seed: 2, Traces: 300, LostCache: true}.Generate(), defect)
			drawn := topology.Draw(after, before, topology.Options{})
			changes := map[string][]topology.Change{}
			for _, edge := range drawn.Edges {
				changes[edge.ID] = edge.Changes
				require.LessOrEqual(t, edge.Now.Errors.Upper, 1.0)
				require.GreaterOrEqual(t, edge.Now.Client.P50, 0.0)
			}
			require.Contains(t, changes["cart → database:postgresql:postgresql"], topology.New)
			require.Contains(t, changes["cart → cache:redis:redis"], topology.Gone)
			require.Contains(t, strings.Join(drawn.Notices, "\n"), defect.Notice)
		})
	}
}
