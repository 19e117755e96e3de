package shop

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDeployReplacesTheVersion(t *testing.T) {
	r := open(t, 5, steady{1}, monday)
	r.run(10 * time.Second)
	require.NoError(t, r.Deploy(Orders, "2.0.0", 1, SlowQuery))
	r.run(5 * time.Second) // requests in flight end on the old version
	after := r.run(30 * time.Second)
	require.Zero(t, share(after, "1.9.4"))
	require.Greater(t, median(after, Orders, "SELECT orders"), 25*time.Millisecond)
	require.Equal(t, "2.0.0", r.State().Services[Orders][0].Version)

	require.NoError(t, r.Deploy(Orders, "2.0.1", 1, ""))
	r.run(5 * time.Second)
	require.Less(t, median(r.run(20*time.Second), Orders, "SELECT orders"), 10*time.Millisecond, "the fault left with its version")
}

func TestCanaryServesItsShare(t *testing.T) {
	r := open(t, 5, steady{1}, monday)
	require.NoError(t, r.Deploy(Orders, "2.0.0", 0.25, SlowQuery))
	trees := r.run(2 * time.Minute)
	require.InDelta(t, 0.25, share(trees, "2.0.0"), 0.05)
	for _, tree := range trees {
		versions := map[string]bool{}
		for _, s := range tree.spans {
			if text(s, "service.name") == Orders {
				versions[text(s, "service.version")] = true
			}
		}
		require.LessOrEqual(t, len(versions), 1, "one request stays on one version")
	}
	require.Greater(t, median(only(trees, "2.0.0"), Orders, "SELECT orders"), 25*time.Millisecond)
	require.Less(t, median(only(trees, "1.9.4"), Orders, "SELECT orders"), 6*time.Millisecond, "the stable version is well")
	require.Len(t, r.State().Services[Orders], 2)
}

func TestDeployRefusesNonsense(t *testing.T) {
	r := open(t, 5, steady{1}, monday)
	for message, err := range map[string]error{
		"no service": r.Deploy("billing", "1", 1, ""),
		"which":      r.Deploy(Orders, "", 1, ""),
		"share":      r.Deploy(Orders, "2", 1.5, ""),
		"no fault":   r.Deploy(Orders, "2", 1, "gremlins"),
		"comes with": r.Deploy(Orders, "2", 1, ErrorBurst),
	} {
		require.ErrorContains(t, err, message)
	}
	require.Equal(t, "1.9.4", r.State().Services[Orders][0].Version, "nothing has changed")
}

// share is the part of orders' statements that a version sent.
func share(trees []tree, version string) float64 {
	matching := count(only(trees, version), Orders, "SELECT orders")
	return float64(matching) / float64(count(trees, Orders, "SELECT orders"))
}

// only keeps the traces that a version of orders served.
func only(trees []tree, version string) (kept []tree) {
	for _, tree := range trees {
		for _, s := range tree.find(Orders, "SELECT orders") {
			if text(s, "service.version") == version {
				kept = append(kept, tree)
				break
			}
		}
	}
	return kept
}
