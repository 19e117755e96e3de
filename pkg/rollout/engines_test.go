package rollout

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the schedules in provisioning/engines")

// TestShippedSchedules: the files for engines have the schedules that are planned
// for the service they name.
func TestShippedSchedules(t *testing.T) {
	service := busy(200, 0.002, 10)
	p := promise()
	p.MaxWeight, p.Probability, p.MaxDuration = 0.01, 0.99, 12*time.Hour
	plan := Make(service, p)
	require.True(t, plan.Kept())
	require.Greater(t, plan.Duration(), time.Hour)
	shipped(t, "rollout-argo.yaml", `(?s)      steps:\n.*`, indent(Argo(plan), 6))

	p = promise()
	p.MaxWeight, p.MaxDuration, p.MaxHarmed = 0.05, 12*time.Hour, 50_000
	even := MakeEven(service, p)
	require.NotEmpty(t, even.Steps)
	require.Greater(t, even.Duration(), time.Hour)
	shipped(t, "rollout-flagger.yaml", `(?s)    interval:.*stepWeights: [^\n]*\n`, indent(Flagger(even), 4))
}

func shipped(t *testing.T, name, part, planned string) {
	t.Helper()
	path := "../../provisioning/engines/" + name
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	pattern := regexp.MustCompile(part)
	if *update {
		require.NoError(t, os.WriteFile(path, pattern.ReplaceAll(text, []byte(planned)), 0o644))
		return
	}
	require.Equal(t, planned, string(pattern.Find(text)), "run: go test ./pkg/rollout -update")
}

func indent(text string, by int) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", by) + line
		}
	}
	return strings.Join(lines, "")
}
