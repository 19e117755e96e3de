package diff_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// TestEachLimitHolds: a difference that is beyond doubt and below one of the
// least effects is no finding; without that limit each case would be one.
func TestEachLimitHolds(t *testing.T) {
	root := func(own, fails float64) step {
		return step{service: "web", name: "root", own: 50, calls: []step{{service: "cart", name: "get", own: own, fails: fails}}}
	}
	for name, c := range map[string]struct {
		count       int
		before, now step
	}{
		"failures by a large ratio and few points":      {8000, root(5, 0.0002), root(5, 0.004)},
		"failures by many points and a small ratio":     {2000, root(5, 0.3), root(5, 0.4)},
		"twice as long, by a fraction of a millisecond": {2000, root(0.2, 0), root(0.4, 0)},
		"longer for certain, by a seventh":              {3000, root(20, 0), root(23, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			r := diff.Compare(population(1, c.count, c.before), population(2, c.count, c.now), diff.Options{})
			require.Empty(t, r.Suspects, r.Reason)
			require.NotEqual(t, diff.Regressed, r.Verdict)
		})
	}
}

// TestWarmUpExcusesOnlyWhatIsShown: where the requests after the warm-up are too
// few to show that nothing changed, what came with it stands.
func TestWarmUpExcusesOnlyWhatIsShown(t *testing.T) {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	baseline := tracetest.Shop{Seed: 1, Traces: 400, Start: start}.Generate()
	deploy := start.Add(time.Minute)
	cold := tracetest.Shop{Seed: 2, Traces: 10, Start: deploy, SlowQuery: 60}.Generate()
	tried := 0
	for seed := range uint64(20) {
		later := tracetest.Shop{Seed: 3 + seed, Traces: 36, Start: deploy.Add(10 * time.Second), SlowQuery: 1.4}.Generate()
		candidate := append(append([]trace.Trace{}, cold...), later...)
		if diff.Compare(baseline, later, diff.Options{}).Verdict != diff.Insufficient || diff.Compare(baseline, candidate, diff.Options{}).Verdict != diff.Regressed {
			continue
		}
		tried++
		r := diff.Compare(baseline, candidate, diff.Options{WarmUp: 10 * time.Second})
		require.Equal(t, diff.Regressed, r.Verdict, r.Reason)
	}
	require.Positive(t, tried, "the case did not come up")
}
