package replay_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/replay"
)

func TestChoose(t *testing.T) {
	nan := math.NaN()
	for name, test := range map[string]struct {
		choices []replay.Choice
		wish    replay.Wish
		best    int
		met     bool
	}{
		"nothing to choose":                 {nil, replay.Wish{PagesPerWeek: 5}, -1, false},
		"the most found with few pages":     {[]replay.Choice{{9, 1, 0}, {4, 0.8, 1}, {2, 0.5, 2}}, replay.Wish{PagesPerWeek: 5}, 1, true},
		"the least strict of equals":        {[]replay.Choice{{1, 0.5, 3}, {4, 0.5, 1}}, replay.Wish{PagesPerWeek: 5}, 1, true},
		"no incidents known":                {[]replay.Choice{{9, nan, 0}, {4, nan, 1}, {2, nan, 2}}, replay.Wish{PagesPerWeek: 5}, 1, true},
		"too many pages everywhere":         {[]replay.Choice{{9, 1, 0}, {7, 0.8, 1}}, replay.Wish{PagesPerWeek: 5}, 1, false},
		"the fewest pages that find enough": {[]replay.Choice{{9, 1, 0}, {4, 0.9, 1}, {1, 0.5, 2}}, replay.Wish{Recall: 0.9}, 1, true},
		"the nearest to a recall":           {[]replay.Choice{{9, 0.7, 0}, {4, 0.5, 1}}, replay.Wish{Recall: 0.9}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			best, met := replay.Choose(test.choices, test.wish)
			require.Equal(t, test.best, best)
			require.Equal(t, test.met, met)
		})
	}
}

// A choice that meets a wish is never passed over for one that does not.
func TestChooseProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var choices []replay.Choice
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			choices = append(choices, replay.Choice{
				PerWeek: rapid.Float64Range(0, 20).Draw(t, "pages"), Recall: rapid.OneOf(rapid.Float64Range(0, 1), rapid.Just(math.NaN())).Draw(t, "recall"),
				Strictness: rapid.Float64Range(0, 100).Draw(t, "strictness"),
			})
		}
		wish := replay.Wish{PagesPerWeek: rapid.Float64Range(0, 20).Draw(t, "wished"), Recall: rapid.SampledFrom([]float64{0, 0.5, 0.9}).Draw(t, "found")}
		best, met := replay.Choose(choices, wish)
		require.GreaterOrEqual(t, best, 0)
		for _, c := range choices {
			if wish.Recall == 0 && c.PerWeek <= wish.PagesPerWeek || wish.Recall > 0 && c.Recall >= wish.Recall {
				require.True(t, met)
			}
		}
	})
}

func TestPerWeek(t *testing.T) {
	require.InDelta(t, 3.5, replay.PerWeek(7, 14*24*time.Hour), 1e-12)
	require.True(t, math.IsNaN(replay.PerWeek(1, 0)))
}
