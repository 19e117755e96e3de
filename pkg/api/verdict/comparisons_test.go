package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

func TestComparisonsAreRemembered(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	c := newComparisons()
	t.Cleanup(c.close)
	require.Equal(t, diff.Insufficient, c.get("orders", noon).Verdict)
	c.set("orders", engine.VerdictAnswer{BaselineVersion: "1", CandidateVersion: "2", Traces: diff.NoChange, TracesReason: "nothing changed", To: noon})
	c.set("carts", engine.VerdictAnswer{BaselineVersion: "1", CandidateVersion: "2", To: noon})
	late := c.get("orders", noon.Add(time.Minute))
	require.Equal(t, diff.NoChange, late.Verdict)
	require.Equal(t, "1", late.Baseline)
	require.Equal(t, "2", late.Candidate)
	require.Contains(t, late.Reason, "nothing changed")
	require.Equal(t, diff.Insufficient, c.get("orders", noon.Add(3*time.Minute)).Verdict, "too old")
	require.Equal(t, diff.Insufficient, c.get("cart", noon).Verdict)
	require.Equal(t, diff.Insufficient, c.get("carts", noon).Verdict, "its traces were not compared")
}
