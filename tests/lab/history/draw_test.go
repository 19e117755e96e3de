package history

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/lab/shop"
)

func TestPoisson(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, mean := range []float64{0.01, 0.7, 4, 39, 41, 900} {
		const n = 40000
		sum, squares := 0.0, 0.0
		for range n {
			x := poisson(random, mean)
			require.Equal(t, math.Trunc(x), x, "whole numbers")
			sum += x
			squares += x * x
		}
		average := sum / n
		require.InDelta(t, mean, average, 5*math.Sqrt(mean/n), "mean")
		require.InEpsilon(t, mean, squares/n-average*average, 0.15, "a Poisson distribution's variance is its mean")
	}
	require.Zero(t, poisson(random, 0))
	require.Zero(t, poisson(random, -1))
}

func TestLocate(t *testing.T) {
	factor := func(p position) float64 { return p.between(func(i int) float64 { return levels[i].factor }) }
	for _, f := range []float64{0.3, 0.6, 0.8, 1, 1.3, 2.4, 3} {
		require.InDelta(t, f, factor(locate(f, false)), 1e-9)
	}
	require.InDelta(t, 0.75, factor(locate(0.75, true)), 1e-9)
	require.True(t, levels[locate(0.75, true).low].reindexing && levels[locate(0.75, true).high].reindexing)
	require.InDelta(t, 0, factor(locate(-5, false)), 1e-9, "never below nothing")
}

func TestSamplesComeMoreOftenTowardsThePresent(t *testing.T) {
	require.Equal(t, interval, intervalAt(14*24*time.Hour))
	require.Equal(t, interval, intervalAt(time.Hour))
	require.Equal(t, 30*time.Second, intervalAt(30*time.Minute))
	require.Equal(t, liveInterval, intervalAt(time.Minute))
	require.Equal(t, liveInterval, intervalAt(0))
}

type contended struct{ shop.Load }

func (contended) Factor(time.Time) float64     { return 1 }
func (contended) Contention(time.Time) float64 { return 0.35 }
func (contended) Reindexing(time.Time) bool    { return false }

func TestContentionSlowsButDoesNotAdd(t *testing.T) {
	m := momentAt(contended{}, now, now.Add(time.Minute))
	factor := func(p position) float64 { return p.between(func(i int) float64 { return levels[i].factor }) }
	require.InDelta(t, 1, factor(m.traffic), 1e-9)
	require.InDelta(t, 2, factor(m.stress), 1e-9)
}
