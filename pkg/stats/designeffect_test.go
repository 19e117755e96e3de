package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// TestDesignEffectIsTheVarianceOfADifference checks the effect against the
// variance of simulated differences: of new windows with more values than the
// past's, with as many, and of longer ones.
func TestDesignEffectIsTheVarianceOfADifference(t *testing.T) {
	const count, size, spread = 20, 15, 0.5
	for _, test := range []struct {
		size int // values of each block of the new window
		span int
	}{{150, 1}, {15, 1}, {15, 3}, {60, 10}} {
		random := rand.New(rand.NewPCG(1, uint64(test.size)))
		effects, squares, runs := 0.0, 0.0, 2000
		information := stats.Information(count*size, test.size*test.span)
		for range runs {
			past := blocksOf(random, count, size, spread)
			now := meanOf(blocksOf(random, test.span, test.size, spread))
			difference := now - meanOf(past)
			squares += difference * difference * information // 1 where all values are independent, of variance 1
			ratio, freedom := stats.DesignEffect(past, 1, 3, float64(test.span), information)
			require.Positive(t, freedom)
			effects += ratio
		}
		require.InEpsilon(t, squares/float64(runs), effects/float64(runs), 0.25, "%+v", test)
	}
}

func meanOf(blocks []stats.Block) float64 {
	sum, count := 0.0, 0
	for _, block := range blocks {
		sum, count = sum+block.Sum, count+block.Count
	}
	return sum / float64(count)
}

// TestDesignEffectOfMomentsThatLast checks that good and bad moments of several
// blocks count for more in a window as long as they.
func TestDesignEffectOfMomentsThatLast(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	var blocks []stats.Block
	for i := range 20 {
		block := stats.Block{}
		for range 15 {
			block.Add(math.Sin(float64(i)/2) + random.NormFloat64())
		}
		blocks = append(blocks, block)
	}
	single, _ := stats.DesignEffect(blocks, 1, 1, 3, 40)
	lasting, freedom := stats.DesignEffect(blocks, 1, 3, 3, 40)
	require.Greater(t, lasting, 1.5*single)
	require.Equal(t, 10, freedom)
	short, _ := stats.DesignEffect(blocks, 1, 3, 0.2, 4)
	require.LessOrEqual(t, short, single, "a window of one block is no longer than that")

	steady := blocksOf(random, 20, 15, 0)
	ratio, _ := stats.Dispersion(steady, 1)
	same, freedom := stats.DesignEffect(steady, 1, 1, 20, stats.Information(300, 300))
	require.InDelta(t, max(ratio, 1), max(same, 1), 1e-9, "as many values over as long a time")
	require.Equal(t, 19, freedom)
	ratio, freedom = stats.DesignEffect(nil, 1, 3, 1, 10)
	require.Equal(t, 1.0, ratio)
	require.Zero(t, freedom)
}
