package changes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/trace/changes"
)

// flow serves 100 requests a minute from one minute to another.
func flow(from, to int, errors, latency func(minute int) float64) changes.Flow {
	f := changes.Flow{Requests: make([]float64, 60), Errors: make([]float64, 60), Latency: make([]float64, 60)}
	for minute := from; minute < to; minute++ {
		f.Requests[minute], f.Errors[minute], f.Latency[minute] = 100, errors(minute), latency(minute)
	}
	return f
}

func is(value float64) func(int) float64 { return func(int) float64 { return value } }

// from is one value before a minute and another one after it.
func from(minute int, before, after float64) func(int) float64 {
	return func(m int) float64 {
		if m < minute {
			return before
		}
		return after
	}
}

// A callee's new pods fail; its caller, released at the same time, fails with
// both of its versions. The controlled comparison blames the callee.
func TestACallerFailsWithBothVersions(t *testing.T) {
	c := changes.Case{Releases: []changes.Release{{Service: "web", Minute: 30}, {Service: "cart", Minute: 30}}}
	for range 3 {
		c.Pods = append(c.Pods,
			changes.Pod{Service: "web", Flow: flow(0, 60, from(30, 1, 9), is(50))},
			changes.Pod{Service: "web", New: true, Flow: flow(30, 60, is(9), is(51))},
			changes.Pod{Service: "cart", Flow: flow(0, 60, is(1), is(20))},
			changes.Pod{Service: "cart", New: true, Flow: flow(30, 60, is(15), is(20))})
	}
	got := changes.Rank(c)
	require.Equal(t, "cart", got[0].Service)
	require.True(t, got[0].Controlled)
	require.InDelta(t, 0.14, got[0].Errors, 0.01)
	require.Greater(t, got[0].Score, 4.0)
	require.Less(t, got[1].Score, 2.0)
}

// All pods were replaced at once: what the callee accounts for is not held
// against the caller.
func TestReplacedPodsAreComparedWithBefore(t *testing.T) {
	c := changes.Case{Releases: []changes.Release{{Service: "web", Minute: 30}, {Service: "cart", Minute: 30}}}
	for range 3 {
		c.Pods = append(c.Pods,
			changes.Pod{Service: "web", Flow: flow(0, 30, is(1), is(50))},
			changes.Pod{Service: "web", New: true, Flow: flow(30, 60, is(1), is(90))},
			changes.Pod{Service: "cart", Flow: flow(0, 30, is(1), is(20))},
			changes.Pod{Service: "cart", New: true, Flow: flow(30, 60, is(1), is(60))},
			changes.Pod{Service: "stock", Flow: flow(0, 60, is(1), is(10))})
		c.Edges = append(c.Edges, changes.Edge{From: "web", To: "cart", Flow: flow(0, 60, is(0), from(30, 20, 60))})
	}
	got := changes.Rank(c)
	require.Equal(t, "cart", got[0].Service)
	require.False(t, got[0].Controlled)
	require.InDelta(t, 3, got[0].Slower, 0.1)
}

// The minutes in which a new pod warms up say nothing.
func TestWarmUpIsNotJudged(t *testing.T) {
	c := changes.Case{Releases: []changes.Release{{Service: "cart", Minute: 30}}}
	for range 3 {
		c.Pods = append(c.Pods,
			changes.Pod{Service: "cart", Flow: flow(0, 60, is(1), is(20))},
			changes.Pod{Service: "cart", New: true, Flow: flow(30, 60, from(32, 60, 1), from(32, 200, 20))})
	}
	require.Less(t, changes.Rank(c)[0].Score, 1.0)
	c.Pods = nil
	require.Zero(t, changes.Rank(c)[0].Score, "nothing is known")
}
