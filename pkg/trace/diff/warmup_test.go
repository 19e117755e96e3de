package diff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

func TestWarmUpIsJudgedApart(t *testing.T) {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	baseline := tracetest.Shop{Seed: 1, Traces: 400, Start: start}.Generate()
	deploy := start.Add(time.Minute)
	cold := tracetest.Shop{Seed: 2, Traces: 100, Start: deploy, SlowQuery: 30}.Generate()
	warm := tracetest.Shop{Seed: 3, Traces: 400, Start: deploy.Add(10 * time.Second)}
	options := diff.Options{WarmUp: 10 * time.Second}

	early := diff.Compare(baseline, append(cold, warm.Generate()[:100]...), options)
	require.Equal(t, diff.Regressed, early.Verdict, "too early to tell")

	later := diff.Compare(baseline, append(cold, warm.Generate()...), options)
	require.Equal(t, diff.NoChange, later.Verdict, later.Reason)
	require.Contains(t, later.Notices[len(later.Notices)-1], "Only in the first 10s of the candidate (warm-up): ")
	require.Equal(t, diff.Regressed, diff.Compare(baseline, append(cold, warm.Generate()...), diff.Options{}).Verdict)

	warm.SlowQuery = 5
	lasting := diff.Compare(baseline, append(cold, warm.Generate()...), options)
	require.Equal(t, diff.Regressed, lasting.Verdict)
}
