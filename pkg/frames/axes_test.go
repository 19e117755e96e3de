package frames_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/frames"
	"github.com/foresight-observability/foresight/pkg/query"
)

// TestContributionsShareTheAxisOfTheScore holds what Grafana compares before it
// lets fields share an axis: contributions add up to the score, and on an axis
// of their own would seem to exceed it.
func TestContributionsShareTheAxisOfTheScore(t *testing.T) {
	shaped, err := frames.Composite(someComposite(), query.Composite{}, query.Panel)
	require.NoError(t, err)
	lines := shaped[0].Fields[1:]
	require.Greater(t, len(lines), 1)
	score := lines[0].Config
	for _, line := range lines[1:] {
		require.Equal(t, score.Unit, line.Config.Unit)
		require.Equal(t, score.Min, line.Config.Min)
		require.Equal(t, score.Max, line.Config.Max)
		require.Equal(t, score.Custom["axisPlacement"], line.Config.Custom["axisPlacement"])
		require.Equal(t, score.Custom["axisLabel"], line.Config.Custom["axisLabel"])
	}
}

// TestOneThresholdInTheLegend: the limit of all series is the same line.
func TestOneThresholdInTheLegend(t *testing.T) {
	shaped, err := frames.Breach(someBreach(), query.Breach{}, query.Panel)
	require.NoError(t, err)
	require.Greater(t, len(shaped), 1)
	for i, frame := range shaped {
		limit := frame.Fields[2]
		require.Equal(t, "threshold", limit.Config.DisplayNameFromDS)
		hidden, _ := limit.Config.Custom["hideFrom"].(map[string]any)
		require.Equal(t, i > 0, hidden["legend"] == true)
	}
}

// TestNothingJudgedHasNoScore: an undecided verdict scores below 95, which
// would be a silent good mark where not one signal was seen.
func TestNothingJudgedHasNoScore(t *testing.T) {
	undecided := someVerdict(2)
	undecided.Judgement.Signals = nil
	shaped, err := frames.Verdict(undecided, query.Panel)
	require.NoError(t, err)
	require.Nil(t, shaped[0].Fields[1].At(0))
	shaped, err = frames.Verdict(someVerdict(2), query.Panel)
	require.NoError(t, err)
	require.NotNil(t, shaped[0].Fields[1].At(0))
}
