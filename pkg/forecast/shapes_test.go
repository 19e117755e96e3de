package forecast_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/foresight-observability/foresight/pkg/forecast"
)

// shape is a process whose future is drawn with its past.
type shape struct {
	name    string
	step    time.Duration
	n       int
	horizon int
	value   func(i int, random *rand.Rand) float64
}

func hours(i int) float64 { return 2 * math.Pi * float64(i) / 24 }

func poisson(mean float64, random *rand.Rand) float64 {
	return distuv.Poisson{Lambda: mean, Src: random}.Rand()
}

var shapes = []shape{
	{"steady noise", time.Minute, 300, 30, func(_ int, r *rand.Rand) float64 { return 50 + r.NormFloat64() }},
	{"a day", time.Hour, 28 * 24, 24, func(i int, r *rand.Rand) float64 { return 100 + 30*math.Sin(hours(i)) + 5*r.NormFloat64() }},
	{"noise by level", time.Hour, 28 * 24, 24, func(i int, r *rand.Rand) float64 {
		return (100 + 70*math.Sin(hours(i))) * math.Exp(0.1*r.NormFloat64())
	}},
	{"one per cent more each day", time.Hour, 28 * 24, 24, func(i int, r *rand.Rand) float64 {
		return 100 * math.Pow(1.01, float64(i)/24) * (1 + 0.3*math.Sin(hours(i)) + 0.04*r.NormFloat64())
	}},
	{"Poisson 20", time.Minute, 300, 30, func(_ int, r *rand.Rand) float64 { return poisson(20, r) }},
	{"Poisson 3", time.Minute, 300, 30, func(_ int, r *rand.Rand) float64 { return poisson(3, r) }},
	{"Poisson 0.3", time.Minute, 300, 30, func(_ int, r *rand.Rand) float64 { return poisson(0.3, r) }},
}

// Intervals hold what they promise, and errors are what is claimed.
func TestPromisesAreKeptOnKnownShapes(t *testing.T) {
	const draws = 15
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			inside80, inside95, points := 0.0, 0.0, 0.0
			wrong, claimed := 0.0, 0.0
			for draw := range uint64(draws) {
				random := rand.New(rand.NewPCG(draw, 77))
				values := make([]float64, s.n+s.horizon)
				for i := range values {
					values[i] = s.value(i, random)
				}
				r, err := forecast.Run(forecast.Request{
					History: history(s.step, values[:s.n]), Horizon: s.horizon, Probabilities: []float64{0.8, 0.95}, NonNegative: true,
				})
				require.NoError(t, err)
				claimed += r.Error / draws
				for h, v := range values[s.n:] {
					points++
					wrong += math.Abs(v - r.Mean[h])
					if v >= r.Intervals[0].Lower[h] && v <= r.Intervals[0].Upper[h] {
						inside80++
					}
					if v >= r.Intervals[1].Lower[h] && v <= r.Intervals[1].Upper[h] {
						inside95++
					}
				}
			}
			t.Logf("80: %.3f 95: %.3f error %.3f claimed %.3f", inside80/points, inside95/points, wrong/points, claimed)
			require.InDelta(t, 0.95, inside95/points, 0.04)
			require.InEpsilon(t, wrong/points, claimed, 0.2)
		})
	}
}

// What never repeats has no season, however few cycles agree by chance.
func TestChanceIsNoSeason(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 5))
		values := make([]float64, 14*24*12)
		for i := range values {
			values[i] = poisson(0.3, random)
		}
		r, err := forecast.Run(forecast.Request{History: history(5*time.Minute, values), Horizon: 12, NonNegative: true})
		require.NoError(t, err)
		require.Zero(t, r.Season)
	}
}

// After a doubling of a metric with a rhythm its rhythm is double, too: one shift
// is reported, and intervals hold.
func TestADoublingIsOneShiftByAFactor(t *testing.T) {
	const n, day = 14 * 288, 288
	for _, since := range []int{2 * day, 3*day + 100} {
		inside, points := 0, 0
		for seed := range uint64(4) {
			random := rand.New(rand.NewPCG(seed, 15))
			values := make([]float64, n+day)
			for i := range values {
				values[i] = (100 + 60*math.Sin(2*math.Pi*float64(i)/day)) * (1 + 0.05*random.NormFloat64())
				if i >= n-since {
					values[i] *= 2
				}
			}
			r, err := forecast.Run(forecast.Request{History: history(5*time.Minute, values[:n]), Horizon: day, NonNegative: true})
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(strings.Join(r.Notices, "\n"), "the level changed"), "%q", r.Notices)
			for h, v := range values[n:] {
				points++
				if v >= r.Intervals[0].Lower[h] && v <= r.Intervals[0].Upper[h] {
					inside++
				}
			}
		}
		require.InDelta(t, 0.95, float64(inside)/float64(points), 0.04, "since %d points", since)
	}
}
