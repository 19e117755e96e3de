package accuracy

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/bench/datasets"
)

// someNAB is a file of 100 rows with windows of 10 rows at 40 and 70.
func someNAB() datasets.NabFile {
	f := datasets.NabFile{Values: make([]float64, 100), Windows: [][2]int{{40, 49}, {70, 79}}}
	for i := range f.Values {
		f.Times = append(f.Times, time.Unix(int64(60*i), 0).UTC())
	}
	return f
}

func TestNABScoreFollowsItsRules(t *testing.T) {
	f := someNAB()
	score := func(p nabProfile, rows ...int) float64 { return p.scorer([]datasets.NabFile{f}).score([][]int{rows}) }
	standard := nabProfiles[0]
	for _, p := range nabProfiles {
		require.Zero(t, score(p), "the null detector")
		require.InDelta(t, 100, score(p, 40, 70), 1e-9, "both at once")
		require.InDelta(t, 100, score(p, 40, 41, 45, 70, 79), 1e-9, "only the first in a window counts")
		require.Equal(t, score(p, 40, 70), score(p, 3, 14, 40, 70), "the probation is free")
	}
	require.InDelta(t, 50, score(standard, 40), 1e-9)
	require.InDelta(t, -100*0.11/4, score(standard, 20), 1e-9, "before the first window a false positive costs in full")
	require.InDelta(t, -100*0.22/4, score(nabProfiles[1], 20), 1e-9)
	behind := 0.11 * (2/(1+math.Exp(5*float64(2)/9)) - 1)
	require.InDelta(t, 100*behind/4, score(standard, 51), 1e-9, "just behind a window it costs less")
	late := (2/(1+math.Exp(-5*0.1)) - 1) / (2/(1+math.Exp(-5.0)) - 1)
	require.InDelta(t, 100*(late+1)/4, score(standard, 49), 1e-9, "the last row of a window is worth least")
}

// The published raw score of the null detector, which is in NAB's
// configuration, follows from the number of windows.
func TestNABHasAllItsWindows(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "data", "nab")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the benchmark's data is not here: ", err)
	}
	files, err := datasets.ReadNAB(folder)
	require.NoError(t, err)
	require.Len(t, files, 58)
	detected := make([][]int, len(files))
	for _, p := range nabProfiles {
		require.Equal(t, 116, p.scorer(files).windows)
		require.Zero(t, p.scorer(files).score(detected))
	}
	for i, f := range files {
		for _, window := range f.Windows {
			detected[i] = append(detected[i], window[0])
		}
	}
	for _, p := range nabProfiles {
		require.InDelta(t, 100, p.scorer(files).score(detected), 1e-9)
	}
}
