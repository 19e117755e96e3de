package forecast

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The products by distance are those of the rows one by one, gaps left out.
func TestLagProductsAreThoseOfTheRows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 6))
	z := make([]float64, 400)
	for i := range z {
		z[i] = random.NormFloat64()
	}
	y := append([]float64(nil), z...)
	y[200], y[399] = math.NaN(), math.NaN()
	lags := []int{1, 2, 3, 7, 23, 24, 25, 47, 48, 49, 96}
	p := productsOf(y, z, lags)
	columns := append([]int{0}, lags...)
	mean := make([]float64, len(columns))
	rows := 0
	for at := 96; at < len(z); at++ {
		if math.IsNaN(y[at]) {
			continue
		}
		rows++
		for i, lag := range columns {
			mean[i] += z[at-lag]
		}
	}
	require.Equal(t, rows, p.rows)
	product := func(i, j int) (sum float64) {
		for at := 96; at < len(z); at++ {
			if !math.IsNaN(y[at]) {
				sum += (z[at-columns[i]] - mean[i]/float64(rows)) * (z[at-columns[j]] - mean[j]/float64(rows))
			}
		}
		return sum
	}
	require.InDelta(t, product(0, 0), p.total, 1e-9)
	for j := 1; j < len(columns); j++ {
		require.InDelta(t, product(0, j), p.cross[j-1], 1e-9)
		for i := 1; i <= j; i++ {
			require.InDelta(t, product(i, j), p.gram.At(i-1, j-1), 1e-9)
		}
	}
}
