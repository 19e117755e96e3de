package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// blocksOf draws blocks of normal values whose means differ with the given
// standard deviation.
func blocksOf(random *rand.Rand, count, size int, spread float64) []stats.Block {
	blocks := make([]stats.Block, count)
	for i := range blocks {
		mean := spread * random.NormFloat64()
		for range size {
			blocks[i].Add(mean + random.NormFloat64())
		}
	}
	return blocks
}

func TestDispersionOfIndependentValuesIsOne(t *testing.T) {
	for _, kept := range []float64{1, 0.8} {
		random := rand.New(rand.NewPCG(1, 1))
		sum := 0.0
		for range 2000 {
			ratio, freedom := stats.Dispersion(blocksOf(random, 20, 15, 0), kept)
			require.Equal(t, 19, freedom)
			sum += ratio
		}
		require.InDelta(t, 1, sum/2000, 0.12)
	}
}

func TestDispersionOfBlocksThatDiffer(t *testing.T) {
	// With k values per block and a variance τ² of block means beside a variance
	// of 1 within, the dispersion is 1+kτ².
	random := rand.New(rand.NewPCG(2, 2))
	sum := 0.0
	for range 500 {
		ratio, _ := stats.Dispersion(blocksOf(random, 20, 25, 0.5), 1)
		sum += ratio
	}
	require.InDelta(t, 1+25*0.25, sum/500, 1)
}

func TestOneIncidentIsLeftOutOfTheTrimmedDispersion(t *testing.T) {
	blocks := blocksOf(rand.New(rand.NewPCG(3, 3)), 20, 15, 0)
	blocks[7] = stats.Block{}
	for range 15 {
		blocks[7].Add(50)
	}
	trimmed, _ := stats.Dispersion(blocks, 0.8)
	whole, _ := stats.Dispersion(blocks, 1)
	require.Less(t, trimmed, 2.5)
	require.Greater(t, whole, 100.0)
}

func TestDispersionOfNothingMuch(t *testing.T) {
	one := stats.Block{}
	one.Add(3)
	two := one
	two.Add(3)
	for _, blocks := range [][]stats.Block{nil, {one}, {one, one}, {two}} {
		ratio, freedom := stats.Dispersion(blocks, 1)
		require.Equal(t, 1.0, ratio)
		require.Zero(t, freedom)
	}
	ratio, _ := stats.Dispersion([]stats.Block{two, two, two}, 1)
	require.Zero(t, ratio, "no variation at all")
	other := stats.Block{}
	other.Add(9)
	other.Add(9)
	ratio, _ = stats.Dispersion([]stats.Block{two, other}, 1)
	require.True(t, math.IsInf(ratio, 1), "blocks differ, values within do not")
}

func TestInflate(t *testing.T) {
	require.Equal(t, 1e-6, stats.Inflate(1e-6, 0.7, 10))
	require.Equal(t, 1.0, stats.Inflate(1, 5, 10))
	// scipy.stats: 2*t.sf(norm.isf(5e-7)/2, 10)
	require.InDelta(t, 0.03450373407376383, stats.Inflate(1e-6, 4, 10), 1e-9)
	require.InDelta(t, 1, stats.Inflate(1e-6, math.Inf(1), 10), 1e-9)
	require.Greater(t, stats.Inflate(0, 1.5, 10), 0.0)
}
