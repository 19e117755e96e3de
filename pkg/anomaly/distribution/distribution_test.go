package distribution_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/distribution"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

var start = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

// buckets are rates of a histogram, 600 observations a minute, whose shares wander;
// from a step on a part of them lies above 0.5.
func buckets(steps, second int, part float64) (all []series.Series) {
	random := rand.New(rand.NewPCG(1, 2))
	shares := map[string]float64{"0.05": 0.2, "0.1": 0.6, "0.25": 0.9, "0.5": 0.99, "1": 1, "+Inf": 1}
	wander := make([]float64, steps)
	for i := range wander {
		wander[i] = 0.02 * random.NormFloat64()
		if i > 0 {
			wander[i] += 0.7 * wander[i-1]
		}
	}
	for _, le := range []string{"0.05", "0.1", "0.25", "0.5", "1", "+Inf"} {
		one := series.Series{Labels: series.Labels{"le": le}, Start: start, Step: time.Minute}
		bound, _ := strconv.ParseFloat(le, 64)
		for i := range steps {
			share := shares[le]
			share = min(1, share+wander[i]*share*(1-share))
			if i >= second && bound < 1 {
				share *= 1 - part
			}
			one.Values = append(one.Values, 10*share)
		}
		all = append(all, one)
	}
	return all
}

func judge(t *testing.T, all []series.Series, from int) anomaly.Result {
	t.Helper()
	h, err := distribution.New(all, 5*time.Minute)
	require.NoError(t, err)
	result, err := h.Distance().Judge(start.Add(time.Duration(from)*time.Minute), 75)
	require.NoError(t, err)
	return result
}

func TestPointsHaveOneScore(t *testing.T) {
	const steps, second = 3 * 1440, 3*1440 - 30
	all := buckets(steps, second, 0.05)
	whole, part := judge(t, all, steps-600), judge(t, all, steps-60)
	require.Equal(t, whole.Score[540:], part.Score)
	require.Len(t, part.Events, 1)
	require.Empty(t, judge(t, all, second-60).Events[1:])
	quiet := judge(t, buckets(steps, steps, 0), steps-120)
	require.Empty(t, quiet.Events)
	for i, v := range quiet.Actual.Values {
		require.Less(t, v, quiet.Upper[i])
	}
}

// What moves too few observations to matter is no event, however certain it is.
func TestSmallMovesDoNotCount(t *testing.T) {
	const steps = 3 * 1440
	require.Empty(t, judge(t, buckets(steps, steps-60, 0.001), steps-60).Events)
}

func TestTooLittleIsSaid(t *testing.T) {
	h, err := distribution.New(buckets(300, 300, 0), 5*time.Minute)
	require.NoError(t, err)
	_, err = h.Distance().Judge(start.Add(250*time.Minute), 75)
	require.ErrorIs(t, err, forecast.ErrShortHistory)

	without := buckets(100, 100, 0)[:5]
	_, err = distribution.New(without, 5*time.Minute)
	require.ErrorContains(t, err, `no bucket with le="+Inf"`)
	rare := buckets(100, 100, 0)
	for _, one := range rare {
		for i := range one.Values {
			one.Values[i] /= 1000
		}
	}
	_, err = distribution.New(rare, 5*time.Minute)
	require.ErrorContains(t, err, "fewer than 20 observations")
	_, err = distribution.New([]series.Series{{Labels: series.Labels{"le": "wide"}, Values: []float64{math.NaN()}}}, time.Minute)
	require.ErrorContains(t, err, "a bucket's bound is a number")
}
