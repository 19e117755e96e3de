//go:build linux && integration

package attack

import (
	"cmp"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAttack abuses the plugin with fifty clients for twenty seconds, or as many
// as FORESIGHT_ATTACK_SECONDS says, while a thousand rules a minute are
// evaluated: the process survives, no rule is missed or late, and what was taken
// is given back.
func TestAttack(t *testing.T) {
	if testing.Short() {
		t.Skip("abuses a process for a while")
	}
	seconds, err := strconv.Atoi(cmp.Or(os.Getenv("FORESIGHT_ATTACK_SECONDS"), "20"))
	require.NoError(t, err)
	result, err := Run(t.Context(), Options{
		Duration: time.Duration(seconds) * time.Second, Clients: 50, RulesPerMinute: 1000, Log: os.Stderr,
		Only: os.Getenv("FORESIGHT_ATTACK_ONLY"),
	})
	require.NoError(t, err)
	t.Logf("%+v", result)
	require.True(t, result.Survived)
	require.Zero(t, result.RulesMissed, result.Misses)
	require.Zero(t, result.EnginesMissed, result.Misses)
	require.LessOrEqual(t, result.RulesLateMax, 2.0)
	require.LessOrEqual(t, result.MemoryMiB, 768.0)
	require.LessOrEqual(t, result.GoroutinesAfter, result.Goroutines+result.Goroutines/4+10)
	require.Positive(t, result.Refused)
}
