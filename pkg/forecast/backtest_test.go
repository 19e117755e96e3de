package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/series"
)

// What comes after an origin changes nothing of what was forecast there, whether
// or not incidents are cut off.
func TestBacktestsDoNotLookAhead(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	values := make([]float64, 28*24)
	for i := range values {
		values[i] = 50 + 20*math.Sin(2*math.Pi*float64(i)/24) + 3*random.NormFloat64()
	}
	values[300] = 3000
	for _, how := range []treatment{repaired, asItIs} {
		r := Request{History: series.Series{Start: time.Unix(0, 0).UTC(), Step: time.Hour, Values: values}, Horizon: 24}
		p, err := prepare(r, how)
		require.NoError(t, err)
		require.Equal(t, how == asItIs, p.untouched)
		other := *p
		from := p.origins()[20]
		for _, x := range []*[]float64{&other.observed, &other.coarse, &other.clean} {
			*x = slices.Clone(*x)
			for i := from; i < len(*x); i++ {
				(*x)[i] = 7 * random.Float64()
			}
		}
		for _, m := range p.members() {
			a, err := p.backtest(m, r.Horizon)
			require.NoError(t, err)
			b, err := other.backtest(m, r.Horizon)
			require.NoError(t, err)
			compared := 0
			for i, origin := range a.origins {
				if origin <= from {
					n := min(len(a.forecasts[i]), len(b.forecasts[i]))
					require.Equal(t, a.forecasts[i][:n], b.forecasts[i][:n], "%s before %d", m.Name(), origin)
					compared++
				}
			}
			require.Greater(t, compared, 5)
		}
	}
}

// Of a random walk the claimed error one step ahead is that of its steps.
func TestClaimedErrorsAreHonest(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	walk := make([]float64, 3000)
	for i := 1; i < len(walk); i++ {
		walk[i] = walk[i-1] + random.NormFloat64()
	}
	for _, name := range []string{"naive", Auto} {
		sum, n := 0.0, 0.0
		for cut := 300; cut < len(walk); cut += 300 {
			r, err := Run(Request{History: series.Series{Step: time.Minute, Values: walk[cut-300 : cut]}, Horizon: 1, Model: name})
			require.NoError(t, err)
			sum, n = sum+r.Error, n+1
		}
		require.InDelta(t, math.Sqrt(2/math.Pi), sum/n, 0.12, name)
	}
}
