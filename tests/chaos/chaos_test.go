package chaos

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	form = flag.String("chaos", "", "play the table of faults: short or full")
	only = flag.String("only", "", "play faults, questions and servers whose names hold this, for a closer look")
)

// TestChaos plays the table: every fault of every server, every question.
func TestChaos(t *testing.T) {
	if *form == "" {
		t.Skip("run it by go tool mage chaos, or with -chaos short")
	}
	s, err := openStage(t.Context(), Single, os.Stderr, "-history", "3d", "-rate", "2.5")
	require.NoError(t, err)
	t.Cleanup(s.close)
	require.NoError(t, s.prepare(t.Context()))
	require.NoError(t, s.learn(t.Context()))
	for _, fault := range Faults {
		for _, upstream := range s.topology.Upstreams {
			if *form == "short" && !fault.Short || !strings.Contains(fault.Name+" of "+upstream.Name, *only) {
				continue
			}
			t.Run(fault.Name+" of "+upstream.Name, func(t *testing.T) {
				row, err := s.play(t.Context(), upstream, fault, Questions())
				require.NoError(t, err)
				for _, q := range Questions() {
					cell := row.Cells[q.Name]
					fmt.Printf("%-14s %-10s %-22s %-6s %5.1fs %s\n", fault.Name, upstream.Name, q.Name, Signs[cell.Outcome], cell.Recovered.Seconds(), cell.Reason)
					if cell.Outcome == Wrong {
						t.Errorf("%s: %s", q.Name, cell.Reason)
					}
					if cell.Recovered < 0 {
						t.Errorf("%s does not recover", q.Name)
					}
				}
			})
		}
	}
}
