package accuracy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
)

// A series that doubles leaves both bands; the engine evaluates each rule over
// what the ones before it recorded.
func TestRulesSeeAJump(t *testing.T) {
	h := series.Series{Start: time.Unix(0, 0).UTC(), Step: 5 * time.Minute}
	for i := range 3 * 288 {
		v := 100 + float64(i%7)
		if i >= 800 && i < 830 {
			v *= 3
		}
		h.Values = append(h.Values, v)
	}
	for _, group := range [][]rule{adaptiveRules, robustRules} {
		on, err := runRules(h, group)
		require.NoError(t, err)
		on = lasting(on, h.Step)
		require.NotContains(t, on[400:800], true)
		require.Contains(t, on[800:830], true)
	}
	_, err := runRules(h, []rule{{"alert", "sum(input"}})
	require.ErrorContains(t, err, "alert")
}
