package stats_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/stats"
)

// The 15 p-values of Benjamini and Hochberg (1995), section 4.
var thrombolysis = []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
	0.5719, 0.6528, 0.7590, 1}

func TestFalseDiscoveryAgainstReferences(t *testing.T) {
	// statsmodels.stats.multitest.multipletests, fdr_bh.
	hochberg := []float64{0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714285714286, 0.06385714285714286, 0.0645, 0.0765,
		0.486, 0.5811818181818182, 0.714875, 0.7532307692307693, 0.8132142857142857, 1}
	require.InDeltaSlice(t, hochberg, stats.BenjaminiHochberg(thrombolysis), 1e-12)
	require.Empty(t, stats.BenjaminiHochberg(nil))
}

func TestFalseDiscoveryKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pValues := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 40).Draw(t, "p")
		adjusted := stats.BenjaminiHochberg(pValues)
		for i := range pValues {
			require.GreaterOrEqual(t, adjusted[i], pValues[i])
			require.LessOrEqual(t, adjusted[i], 1.0)
			for j := range pValues {
				if pValues[i] < pValues[j] {
					require.LessOrEqual(t, adjusted[i], adjusted[j])
				}
			}
		}
	})
}

func TestQuantileAgainstNumpy(t *testing.T) {
	values := []float64{1, 2, 4, 8, 16} // numpy.quantile
	for q, want := range map[float64]float64{0: 1, 0.1: 1.4, 0.5: 4, 0.9: 12.8, 1: 16, -1: 1, 2: 16} {
		require.InDelta(t, want, stats.Quantile(values, q), 1e-12)
	}
	require.Zero(t, stats.Quantile(nil, 0.5))
}

func TestRateRatioAgainstStatsmodels(t *testing.T) {
	// statsmodels GLM(family=Poisson()).fit(scale='X2').
	x, y := []float64{1, 0, 2, 3, 1, 4, 0, 2}, []float64{3, 5, 2, 8, 4, 6, 9}
	got := stats.RateRatio(x, nil, y, nil, 0.95)
	require.InEpsilon(t, 3.2527472527472527, got.Estimate, 1e-9)
	require.InEpsilon(t, 1.61364516, got.Lower, 1e-7)
	require.InEpsilon(t, 6.55680998, got.Upper, 1e-7)
	got = stats.RateRatio(x, []float64{1, 1, 2, 2, 1, 3, 1, 2}, y, []float64{1, 2, 1, 3, 1, 2, 3}, 0.95)
	require.InEpsilon(t, 2.846153846153846, got.Estimate, 1e-9)
	require.InEpsilon(t, 2.02972809, got.Lower, 1e-7)
	require.InEpsilon(t, 3.99097384, got.Upper, 1e-7)

	none := stats.RateRatio([]float64{0, 0, 0}, nil, []float64{4, 5, 6}, nil, 0.95)
	require.Greater(t, none.Lower, 1.0)
	require.Greater(t, none.Estimate, none.Lower)
	require.Equal(t, 1.0, stats.RateRatio(nil, nil, y, nil, 0.95).Estimate)
}
