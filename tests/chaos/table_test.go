//go:build integration

package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPage(t *testing.T) {
	rows := []Row{
		{Server: Tempo, Fault: "refused", Cells: map[string]Cell{"verdict": {Outcome: Noticed, Recovered: 12 * time.Second}, Live: {Outcome: Waits, Recovered: time.Minute}}},
		{Server: Tempo, Fault: "hung", Cells: map[string]Cell{"verdict": {Outcome: Wrong, Reason: "it is zero", Recovered: -1}, Live: {Outcome: Right}}},
		{Server: Prometheus, Fault: "refused", Cells: map[string]Cell{"verdict": {Outcome: Refused, Recovered: time.Millisecond}}},
	}
	page := Page(rows, nil, []string{"verdict", Live})
	require.Contains(t, page, "### Tempo\n\n| question | refused | hung |\n|---|---|---|\n| verdict | ✓n | WRONG |\n| live stream | waits | ✓ |\n| **all right again after** | 15 s | never |\n")
	require.Contains(t, page, "### Prometheus\n\n| question | refused |\n|---|---|\n| verdict | error |\n| live stream | · |\n| **all right again after** | at once |\n")
	require.Contains(t, page, "| hung | connections are taken")
	require.NotContains(t, page, "| garbage |", "what was not played is not told of")
	require.Contains(t, page, "Not played by the run that wrote this page: hung of Prometheus, too slow of Prometheus")
	require.NotContains(t, page, "%!")
	require.Equal(t, []string{"Tempo, hung, verdict: it is zero"}, wrong(rows))
}
