package replay_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/replay"
)

var everyMinute = replay.Rule{
	Load: replay.Evaluator{Type: replay.Above, Params: []float64{75}}, Unload: &replay.Evaluator{Type: replay.Below, Params: []float64{50}}, Interval: time.Minute,
	NoData: replay.AsOK, Error: replay.AsError,
}

// recordOf is one series, evaluated every minute.
func recordOf(values []float64) *replay.Record {
	r := &replay.Record{Series: [][]float64{values}, Runs: []replay.Run{{To: len(values), Series: []int{0}, Instances: []int{replay.Unlabelled}}}}
	for i := range values {
		r.Times = append(r.Times, noon.Add(time.Duration(i)*time.Minute))
	}
	return r
}

// TestStaticThreshold: it is the tightest quantile with few enough pages over the
// part that it is chosen on, of the side that counts; the rest is not looked at.
func TestStaticThreshold(t *testing.T) {
	values := make([]float64, 2000)
	for i := range values {
		values[i] = float64(i % 10)
	}
	values[100], values[500], values[700] = 100, 200, -100
	for i := 1000; i < 2000; i++ {
		values[i] = 1e6 // what comes later is not known
	}
	choose := func(side replay.Side, pages int) replay.Rule {
		rule := replay.StaticThreshold(recordOf(values), everyMinute, side, 1000, pages)
		require.Nil(t, rule.Unload)
		return rule
	}
	pages := func(rule replay.Rule) int { return replay.Alerts(recordOf(values).Play(rule, 0, 1000).Pages()) }
	two := choose(replay.High, 2)
	require.Equal(t, replay.Above, two.Load.Type)
	require.Equal(t, 2, pages(two))
	require.InDelta(t, 9, two.Load.Params[0], 1)
	none := choose(replay.High, 0)
	require.Equal(t, []float64{200}, none.Load.Params)
	require.Zero(t, pages(none))
	low := choose(replay.Low, 1)
	require.Equal(t, replay.Below, low.Load.Type)
	require.Equal(t, 1, pages(low))
	band := choose(replay.Both, 3)
	require.Equal(t, replay.Outside, band.Load.Type)
	require.Equal(t, 3, pages(band))
}

// TestZScore: the newest value against the day before it, as recording rules have it.
func TestZScore(t *testing.T) {
	values := make([]float64, 1500)
	for i := range values {
		values[i] = 1e6 + float64(i%2) // mean in the middle, deviation 0.5
	}
	values[1499] = 1e6 + 10.5
	values[700] = math.NaN()
	scored, rule := replay.ZScore(recordOf(values), everyMinute, replay.High)
	require.Equal(t, replay.Evaluator{Type: replay.Above, Params: []float64{3}}, rule.Load)
	require.Nil(t, rule.Unload)
	scores := scored.Series[0]
	require.True(t, math.IsNaN(scores[0]), "one value has no deviation")
	require.True(t, math.IsNaN(scores[700]))
	require.InDelta(t, 1, math.Abs(scores[1498]), 0.01)
	require.InDelta(t, 17.6, scores[1499], 0.3)
	require.Equal(t, 1, replay.Alerts(scored.Play(rule, 0, 1500).Pages()))
	_, low := replay.ZScore(recordOf(values), everyMinute, replay.Low)
	require.Equal(t, []float64{-3}, low.Load.Params)
	_, both := replay.ZScore(recordOf(values), everyMinute, replay.Both)
	require.Equal(t, []float64{-3, 3}, both.Load.Params)
	for i := range 30 {
		values[i] = 2e6 // more than a day before the last
	}
	forgotten, _ := replay.ZScore(recordOf(values), everyMinute, replay.High)
	require.InDelta(t, 17.6, forgotten.Series[0][1499], 0.3)
	constant, _ := replay.ZScore(recordOf([]float64{7, 7, 7}), everyMinute, replay.High)
	require.True(t, math.IsNaN(constant.Series[0][2]), "what never moves has no score")
}

// TestPredictLinear: a line goes on, and gaps are left out of it.
func TestPredictLinear(t *testing.T) {
	values := make([]float64, 200)
	for i := range values {
		values[i] = 5
		if i >= 100 {
			values[i] = 5 + 2*float64(i-100)
		}
	}
	values[190] = math.NaN()
	ahead := replay.PredictLinear(recordOf(values), time.Minute).Series[0]
	require.True(t, math.IsNaN(ahead[0]), "one value is no line")
	require.InDelta(t, 5, ahead[99], 1e-9)
	require.InDelta(t, values[199]+2*60, ahead[199], 1e-6, "the last hour is all on the line")
	require.InDelta(t, values[191]-2+2*59, ahead[190]-2*1, 1e-6, "a gap is foreseen from its neighbours")
}
