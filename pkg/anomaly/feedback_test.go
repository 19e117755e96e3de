package anomaly_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
)

const reported = 20 // days

// Every other day a spike comes that people call a false alarm, and on the days
// between a drop that they call real.
func incidents(seed uint64) (values []float64, feedback []anomaly.Feedback) {
	values = traffic(reported*perDay+perDay, seed)
	for d := 2; d < reported; d++ {
		at := d*perDay + 200 + 43*d%900
		size := 26.0
		if d%2 == 1 {
			size = -26
		}
		add(values, at, 3, size)
		feedback = append(feedback, anomaly.Feedback{
			Time: monday.Add(time.Duration(at+1) * time.Minute), Real: d%2 == 1,
		})
	}
	add(values, reported*perDay+300, 3, 26)
	add(values, reported*perDay+1200, 3, -26)
	return values, feedback
}

func peak(r anomaly.Result, from int) float64 {
	best := 0.0
	for _, score := range r.Score[from : from+10] {
		best = max(best, score)
	}
	return best
}

func TestFeedbackReranks(t *testing.T) {
	values, feedback := incidents(21)
	r := request(values, reported*perDay)
	r.Threshold = 50
	before := detect(t, r)
	r.Feedback = feedback
	after := detect(t, r)
	require.Equal(t, before.Actual, after.Actual)
	require.Equal(t, before.Expected, after.Expected)
	require.Less(t, peak(after, 300), peak(before, 300)-1, "spikes are false alarms here")
	require.Greater(t, peak(after, 1200), peak(before, 1200)+1, "drops are real")
	require.True(t, strings.HasPrefix(after.Notices[0], "re-ranked by"), after.Notices)

	causal := r
	causal.History.Values = values[:reported*perDay+305]
	require.Equal(t, after.Score[:305], detect(t, causal).Score, "nothing after a point changes its score")
}

func TestTooLittleFeedbackChangesNothing(t *testing.T) {
	values, feedback := incidents(22)
	r := request(values, reported*perDay)
	before := detect(t, r)
	r.Feedback = slices.Concat(feedback[:3], []anomaly.Feedback{{Time: monday.Add(-time.Hour)}})
	after := detect(t, r)
	require.Equal(t, before.Score, after.Score)
	require.Equal(t, before.Events, after.Events)
	require.Contains(t, after.Notices[0], "not re-ranked")
	require.Contains(t, after.Notices[1], "ignored")
}

func TestFeedbackOnAShortHistory(t *testing.T) {
	values := traffic(300, 23)
	r := request(values, 200)
	r.Feedback = []anomaly.Feedback{{Time: monday.Add(30 * time.Minute)}, {Time: monday.Add(250 * time.Minute), Real: true}}
	require.Len(t, detect(t, r).Score, 100)
}
