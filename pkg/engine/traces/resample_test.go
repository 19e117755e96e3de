package traces_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/traces"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// TestSamplesGrow checks that a sample which does not suffice is followed by a
// larger one where the store has more, within the limits of the operator and
// the asker's patience, and that one which suffices is not.
func TestSamplesGrow(t *testing.T) {
	ask := func(fault tracetest.Shop, most int, change func(*engine.Engine)) (traces.TraceDiffAnswer, *enginetest.Traces) {
		store := enginetest.ShopWithDeploy(fault)
		store.Limit = 10_000
		e := newEngine(store, nil)
		change(e)
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
		defer cancel()
		found, err := e.TraceDiff(ctx, query.TraceDiff{Service: "orders", MaxTraces: most}.WithDefaults(), enginetest.Window)
		require.NoError(t, err)
		return found, store
	}
	queried := func(store *enginetest.Traces) (limits []int) {
		for _, filter := range store.Filters {
			limits = append(limits, filter.Limit)
		}
		return limits
	}
	unlimited := func(e *engine.Engine) {
		e.Now = time.Now
	}

	found, store := ask(tracetest.Shop{}, 22, unlimited)
	require.Equal(t, []int{22, 22, 88, 88}, queried(store), "%s %d", found.Result.Reason, found.Result.NeededTraces)
	require.Equal(t, diff.NoChange, found.Result.Verdict, found.Result.Reason)
	require.Contains(t, strings.Join(found.Notices, " "), "A sample of 22 traces of each side did not suffice")
	require.Len(t, found.Queries, 2, "those of the sample that was judged")

	found, store = ask(tracetest.Shop{SlowQuery: 8}, 120, unlimited)
	require.Equal(t, diff.Regressed, found.Result.Verdict, found.Result.Reason)
	require.Equal(t, []int{120, 120}, queried(store))

	found, store = ask(tracetest.Shop{}, 15, func(e *engine.Engine) {
		unlimited(e)
		e.Limits.MaxTraces = 15
	})
	require.Equal(t, diff.Insufficient, found.Result.Verdict)
	require.Equal(t, []int{15, 15}, queried(store))

	now := time.Now()
	_, store = ask(tracetest.Shop{}, 22, func(e *engine.Engine) {
		e.Now = func() time.Time { now = now.Add(10 * time.Minute); return now }
	})
	require.Equal(t, []int{22, 22}, queried(store), "no time for more")
}
