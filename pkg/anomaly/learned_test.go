package anomaly_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
)

// labelledEvents are real where the CUSUM saw them, false where the median did,
// with some labels wrong.
func labelledEvents(n int, seed uint64) []anomaly.Label {
	random := rand.New(rand.NewPCG(seed, 9))
	labels := make([]anomaly.Label, n)
	for i := range labels {
		share := random.Float64()
		labels[i] = anomaly.Label{
			Event: anomaly.Event{
				Start: monday, End: monday.Add(time.Duration(random.IntN(120)) * time.Minute),
				Score: 75 + 20*random.Float64(), Above: random.IntN(2) == 0,
				Witnesses: []anomaly.Witness{{Name: "cusum", Share: share}, {Name: "median", Share: 1 - share}},
			},
			Real: (share > 0.5) != (random.Float64() < 0.1),
		}
	}
	return labels
}

var labelDetectors = []string{"z-score", "cusum", "median"}

func TestClassifierLearnsFromLabels(t *testing.T) {
	c, notice := anomaly.LearnLabels(labelledEvents(80, 1), labelDetectors)
	require.Contains(t, notice, "80 labelled events")
	right := 0
	held := labelledEvents(400, 2)
	for _, label := range held {
		p := c.Probability(label.Event)
		require.True(t, p > 0 && p < 1)
		if (p > 0.5) == label.Real {
			right++
		}
	}
	require.Greater(t, right, 340, "nine in ten can be known")
}

func TestLabelsReRankAndHideNothing(t *testing.T) {
	c, _ := anomaly.LearnLabels(labelledEvents(80, 1), labelDetectors)
	event := func(by string, score float64) anomaly.Event {
		return anomaly.Event{Start: monday, End: monday, Score: score, Witnesses: []anomaly.Witness{{Name: by, Share: 1}}}
	}
	require.Greater(t, c.Rank(event("cusum", 80)), c.Rank(event("median", 80)))
	require.Less(t, c.Rank(event("median", 80)), 80.0)
	require.Greater(t, c.Rank(event("median", 99)), 75.0)
}

func TestWithoutLabelsTheScoreStays(t *testing.T) {
	for _, labels := range [][]anomaly.Label{nil, labelledEvents(6, 3)} {
		c, notice := anomaly.LearnLabels(labels, labelDetectors)
		require.Contains(t, notice, "not re-ranked")
		e := labelledEvents(1, 4)[0].Event
		require.Equal(t, e.Score, c.Rank(e))
		require.True(t, math.IsNaN(c.Probability(e)))
	}
}

// Labels that one feature explains entirely have no finite maximum without the
// ridge.
func TestSeparableLabels(t *testing.T) {
	labels := labelledEvents(40, 5)
	for i := range labels {
		labels[i].Real = labels[i].Event.Witnesses[0].Share > 0.5
	}
	c, _ := anomaly.LearnLabels(labels, labelDetectors)
	for _, label := range labels {
		p := c.Probability(label.Event)
		require.False(t, math.IsNaN(p))
		require.True(t, p > 0.001 && p < 0.999)
	}
}
