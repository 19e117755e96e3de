package stats_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// Permeability constants of the human chorioamnion, Hollander and Wolfe (1973)
// page 69, the example of R's wilcox.test.
var (
	atTerm = sorted(0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46)
	early  = sorted(1.15, 0.88, 0.90, 0.74, 1.21)
)

// Two rounded lognormal samples with many ties.
var (
	tiedX = []float64{0.8, 1.1, 1.1, 1.3, 1.4, 1.4, 1.4, 1.7, 1.7, 1.7, 1.7, 1.8, 1.8, 2.0, 2.0, 2.1, 2.1, 2.1, 2.2, 2.2,
		2.4, 2.4, 2.5, 2.6, 2.7, 2.7, 2.7, 2.7, 2.8, 2.9, 2.9, 2.9, 3.1, 3.2, 3.2, 3.5, 3.8, 4.2, 4.6, 5.3}
	tiedY = []float64{1.5, 1.9, 2.1, 2.2, 2.2, 2.2, 2.7, 2.9, 2.9, 3.0, 3.2, 3.2, 3.7, 3.7, 3.9, 3.9, 4.2, 4.2, 4.2, 4.3,
		4.3, 4.3, 4.5, 5.4, 5.6, 5.7, 5.7, 5.9, 6.2, 6.4, 7.2, 7.6, 8.0, 8.3, 11.0}
)

func sorted(values ...float64) []float64 {
	slices.Sort(values)
	return values
}

func TestMannWhitneyAgainstPublishedValues(t *testing.T) {
	cases := []struct {
		name        string
		x, y        []float64
		pValue      float64
		superiority float64
		exact       bool
	}{
		{"exact: R wilcox.test, scipy.stats.mannwhitneyu(method='exact')", atTerm, early, 0.2544122544122544, 15.0 / 50, true},
		{"exact with ties: all 462 arrangements enumerated in Python", []float64{1, 2, 2, 3, 3}, []float64{3, 3, 4, 5, 5, 6}, 0.025974025974025976, 28.0 / 30, true},
		{"normal: scipy.stats.mannwhitneyu(method='asymptotic')", []float64{1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 7, 8},
			[]float64{2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 9, 10}, 0.040130769711572735, 116.0 / 156, false},
		{"normal with many ties: scipy.stats.mannwhitneyu", tiedX, tiedY, 5.710839411067382e-07, 1171.0 / 1400, false},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			got := stats.MannWhitney(test.x, test.y)
			require.InEpsilon(t, test.pValue, got.PValue, 1e-9)
			require.InDelta(t, test.superiority, got.Superiority, 1e-12)
			require.Equal(t, test.exact, got.Exact)
		})
	}
}

func TestMannWhitneyWithNothingToCompare(t *testing.T) {
	same := make([]float64, 50)
	for _, got := range []stats.RankTest{
		stats.MannWhitney(nil, nil), stats.MannWhitney(same, nil), stats.MannWhitney(same, same), stats.MannWhitney(same[:3], same[:3]),
	} {
		require.Equal(t, 1.0, got.PValue)
		require.Equal(t, 0.5, got.Superiority)
	}
}

func TestMannWhitneyIsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1, 30)
		x, y := drawSorted(t, values, "x"), drawSorted(t, values, "y")
		one, other := stats.MannWhitney(x, y), stats.MannWhitney(y, x)
		require.InDelta(t, one.PValue, other.PValue, 1e-9)
		require.InDelta(t, 1, one.Superiority+other.Superiority, 1e-9)
		require.True(t, one.PValue >= 0 && one.PValue <= 1)
	})
}

func drawSorted(t *rapid.T, generator *rapid.Generator[[]float64], name string) []float64 {
	var values []float64
	for _, value := range generator.Draw(t, name) {
		values = append(values, math.Round(value))
	}
	return sorted(values...)
}

func TestHodgesLehmannAgainstReferences(t *testing.T) {
	got := stats.HodgesLehmann(atTerm, early, 0.95)
	require.InDelta(t, -0.305, got.Estimate, 1e-12) // R wilcox.test(conf.int = TRUE): 0.305 for x−y
	// Order statistics 8 and 43 of the 50 differences, numpy.
	require.InDelta(t, -0.76, got.Lower, 1e-12)
	require.InDelta(t, 0.17, got.Upper, 1e-12)

	got = stats.HodgesLehmann(tiedX, tiedY, 0.95) // numpy: sorted outer differences
	require.InDelta(t, 1.8, got.Estimate, 1e-12)
	require.InDelta(t, 1.1, got.Lower, 1e-12)
	require.InDelta(t, 2.5, got.Upper, 1e-12)

	empty := stats.HodgesLehmann(nil, tiedY, 0.95)
	require.True(t, math.IsInf(empty.Lower, -1) && math.IsInf(empty.Upper, 1))
}

func TestHodgesLehmannIsTheMedianDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		generator := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 25)
		x, y := sorted(generator.Draw(t, "x")...), sorted(generator.Draw(t, "y")...)
		var differences []float64
		for _, a := range x {
			for _, b := range y {
				differences = append(differences, b-a)
			}
		}
		slices.Sort(differences)
		got := stats.HodgesLehmann(x, y, 0.95)
		require.InDelta(t, stats.Quantile(differences, 0.5), got.Estimate, 1e-6)
		require.LessOrEqual(t, got.Lower, got.Estimate)
		require.GreaterOrEqual(t, got.Upper, got.Estimate)
	})
}
