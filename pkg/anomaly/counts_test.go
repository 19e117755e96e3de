package anomaly

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestCountsArePoisson(t *testing.T) {
	y := make([]float64, 20_000)
	d := distuv.Poisson{Lambda: 0.3, Src: rand.NewPCG(1, 2)}
	for i := range y {
		y[i] = d.Rand()
	}
	y[700] = 500 // a past burst does not teach
	c := learnCounts(y, 1, 288)
	require.InDelta(t, 1, c.dispersion, 0.1)
	require.InDelta(t, 0.3, c.mean[0], 0.1)
	for count := 1.0; count < 6; count++ {
		require.InEpsilon(t, 2*d.Survival(count-1), c.probability(0, count, 0.3), 1.2, "%v", count)
	}
	require.Equal(t, 1.0, c.probability(0, 0, 0.3), "nothing is what is usual")
}

// Counts whose mean varies follow the negative binomial distribution.
func TestCountsAreOverdispersed(t *testing.T) {
	y := make([]float64, 50_000)
	source := rand.NewPCG(1, 3)
	rate := distuv.Gamma{Alpha: 0.5, Beta: 0.5, Src: source}
	for i := range y {
		y[i] = distuv.Poisson{Lambda: rate.Rand(), Src: source}.Rand()
	}
	c := learnCounts(y, 1, 288)
	for _, count := range []float64{3, 6, 9} {
		share := 0.0
		for _, v := range y {
			if v >= count {
				share += 2 / float64(len(y))
			}
		}
		require.InEpsilon(t, share, c.probability(0, count, 1), 0.5, "%v", count)
	}
}

func TestWhatIsNoCount(t *testing.T) {
	y := make([]float64, 1000)
	for i := range y {
		y[i] = float64(i%3) + 0.25
	}
	require.Nil(t, learnCounts(y, 1, 288), "not in whole steps")
	for i := range y {
		y[i] = float64(i%3) - 1
	}
	require.Nil(t, learnCounts(y, 1, 288), "negative")
	for i := range y {
		y[i] = float64(100 + i%3)
	}
	require.Nil(t, learnCounts(y, 1, 288), "large")
	require.Nil(t, learnCounts(y, 0, 288), "continuous")
	require.Nil(t, learnCounts([]float64{1, math.NaN()}, 1, 288), "few")
}
