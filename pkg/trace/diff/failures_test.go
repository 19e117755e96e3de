package diff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace/diff"
)

// TestUnchangedSpeaksOfFailuresToo: durations alone do not say that nothing
// changed while clearly more failures are not excluded.
func TestUnchangedSpeaksOfFailuresToo(t *testing.T) {
	root := step{service: "web", name: "root", own: 50}
	few := diff.Compare(population(1, 400, root), population(2, 45, root), diff.Options{})
	require.Equal(t, diff.Insufficient, few.Verdict, few.Reason)
	enough := diff.Compare(population(1, 400, root), population(2, 150, root), diff.Options{})
	require.Equal(t, diff.NoChange, enough.Verdict, enough.Reason)
	steady := step{service: "web", name: "root", own: 50, calls: []step{}}
	steady.own = 0.5
	open := diff.Compare(population(1, 400, steady), population(2, 40, steady), diff.Options{})
	require.Equal(t, diff.Insufficient, open.Verdict, open.Reason)
	require.Contains(t, open.Reason, "may fail in up to")
	require.Positive(t, open.NeededTraces)
}
