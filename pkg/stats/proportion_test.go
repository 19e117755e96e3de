package stats_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/stats"
)

func TestFisherMidPAgainstReferences(t *testing.T) {
	// scipy.stats.hypergeom: min(1, 2·min(cdf(b−1)+pmf(b)/2, sf(b)+pmf(b)/2)).
	cases := []struct {
		a, b stats.Proportion
		want float64
	}{
		{stats.Proportion{Successes: 1, Trials: 20}, stats.Proportion{Successes: 8, Trials: 22}, 0.016574065354553157},
		{stats.Proportion{Successes: 0, Trials: 400}, stats.Proportion{Successes: 5, Trials: 400}, 0.03085962220655367},
		{stats.Proportion{Successes: 30, Trials: 400}, stats.Proportion{Successes: 90, Trials: 412}, 5.09890769169957e-09},
		{stats.Proportion{Successes: 3, Trials: 10}, stats.Proportion{Successes: 3, Trials: 10}, 1},
		{stats.Proportion{Successes: 0, Trials: 60}, stats.Proportion{Successes: 0, Trials: 60}, 1},
		{stats.Proportion{Successes: 0, Trials: 0}, stats.Proportion{Successes: 5, Trials: 60}, 1},
	}
	for _, test := range cases {
		require.InEpsilon(t, test.want, stats.FisherMidP(test.a, test.b), 1e-9, "%v", test)
		require.InEpsilon(t, test.want, stats.FisherMidP(test.b, test.a), 1e-9, "%v", test)
	}
}

func TestFisherMidPIsAProbability(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) stats.Proportion {
			trials := rapid.IntRange(0, 5000).Draw(t, name)
			return stats.Proportion{Successes: rapid.IntRange(0, trials).Draw(t, name+" successes"), Trials: trials}
		}
		p := stats.FisherMidP(draw("a"), draw("b"))
		require.True(t, p >= 0 && p <= 1, "%v", p)
	})
}

func TestIntervalsOfProportionsAgainstPublishedValues(t *testing.T) {
	// Newcombe (1998), Statistics in Medicine 17:873, table II, method 10;
	// digits from statsmodels.
	cases := []struct {
		a, b         stats.Proportion
		lower, upper float64
	}{
		{stats.Proportion{Successes: 48, Trials: 80}, stats.Proportion{Successes: 56, Trials: 70}, 0.05243147240236498, 0.33387265403690614},
		{stats.Proportion{Successes: 3, Trials: 10}, stats.Proportion{Successes: 9, Trials: 10}, 0.1705227239345029, 0.809017973535488},
		{stats.Proportion{Successes: 0, Trials: 20}, stats.Proportion{Successes: 0, Trials: 10}, -0.1611251580528194, 0.27753279986288926},
		{stats.Proportion{Successes: 0, Trials: 20}, stats.Proportion{Successes: 10, Trials: 10}, 0.6790860371419145, 1},
	}
	for _, test := range cases {
		got := stats.Newcombe(test.a, test.b, 0.95)
		require.InDelta(t, test.lower, got.Lower, 1e-9)
		require.InDelta(t, test.upper, got.Upper, 1e-9)
	}
	// Wilson: statsmodels.stats.proportion.proportion_confint(method='wilson').
	got := stats.Wilson(stats.Proportion{Successes: 81, Trials: 263}, 0.95)
	require.InDelta(t, 0.2552885198782742, got.Lower, 1e-9)
	require.InDelta(t, 0.36620957698280004, got.Upper, 1e-9)
	got = stats.Wilson(stats.Proportion{Successes: 0, Trials: 20}, 0.95)
	require.InDelta(t, 0, got.Lower, 1e-9)
	require.InDelta(t, 0.1611251580528194, got.Upper, 1e-9)
}
