package playbook

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func outcomes(text string) (all []Past) {
	for i, c := range text {
		outcome := Verified
		if c == 'x' {
			outcome = Failed
		}
		all = append(all, Past{ID: strconv.Itoa(i), Pattern: RetryStorm, At: time.Unix(int64(i), 0), Outcome: outcome})
	}
	return all
}

func right(n int) string { return strings.Repeat(".", n) }

func TestRecord(t *testing.T) {
	for name, test := range map[string]struct {
		record string
		bar    float64
		earned bool
	}{
		"nothing":                         {"", 0.95, false},
		"twenty show 84 %":                {right(20), 0.95, false},
		"72 show no more than 95 %":       {right(72), 0.95, false},
		"74 do":                           {right(74), 0.95, true},
		"a failure falls back":            {right(300) + "x", 0.95, false},
		"19 after it do not suffice":      {right(300) + "x" + right(19), 0.95, false},
		"20 after it do":                  {right(300) + "x" + right(20), 0.95, true},
		"a lower bar is reached sooner":   {right(30), 0.8, true},
		"many failures never reach a bar": {right(20) + "xx" + right(20) + "xx" + right(20), 0.95, false},
	} {
		require.Equal(t, test.earned, JudgeRecord(RetryStorm, outcomes(test.record), test.bar).Earned, name)
	}
	require.Equal(t, Record{Pattern: RetryStorm, Right: 1, Wrong: 1, Lower: JudgeRecord(RetryStorm, outcomes(".x"), 0.5).Lower}, JudgeRecord(RetryStorm, outcomes(".x"), 1), "no record exceeds 1")
	twice := append(outcomes(right(40)), outcomes(right(40))...)
	require.Equal(t, 40, JudgeRecord(RetryStorm, twice, 0.95).Right, "an outcome counts once")
	require.Zero(t, JudgeRecord(TrafficSpike, twice, 0.95).Right, "and for its pattern")
}

// TestAutoIsEarned: what would be sent is proposed until the record allows it.
func TestAutoIsEarned(t *testing.T) {
	for record, want := range map[string]State{"": Proposed, right(100): Held, right(100) + "x": Proposed} {
		c := Config{Mode: Auto, MinRight: 0.95, KillSwitch: true}.withDefaults()
		g := newGuards(c, Situation{Record: outcomes(record)}, nil)
		state, reason := g.admit(Recommendation{Pattern: RetryStorm, Target: Target{Service: "orders"}})
		require.Equal(t, want, state, reason)
		if want == Proposed {
			require.Contains(t, reason, "auto is not earned")
		}
	}
	g := newGuards(Config{Mode: Auto, MinRight: 0.95}, Situation{Record: outcomes(right(100)), RecordMissing: "Grafana is away"}, nil)
	state, reason := g.admit(Recommendation{Pattern: RetryStorm})
	require.Equal(t, Proposed, state)
	require.Contains(t, reason, "Grafana is away")
}
