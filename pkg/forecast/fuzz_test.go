package forecast_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// FuzzRun takes any bits for values, any model, clock, event and capacity: there
// is an answer of finite numbers, or a reason.
func FuzzRun(f *testing.F) {
	encode := func(values ...float64) []byte {
		var raw []byte
		for _, v := range values {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
		}
		return raw
	}
	const spring = 1_774_000_000 // ten days before summer time begins in Berlin
	f.Add(encode(traffic(100, time.Hour, 1)...), int64(time.Hour), int64(spring), uint8(0), uint16(24), 0.0)
	f.Add(encode(traffic(300, time.Hour, 2)...), int64(time.Hour), int64(spring), uint8(3), uint16(48), 200.0)
	f.Add(encode(constant(-1, 60)...), int64(time.Minute), int64(0), uint8(9), uint16(10), 0.0)
	f.Add(encode(append(constant(0, 150), constant(math.MaxFloat64, 150)...)...), int64(time.Minute), int64(0), uint8(0), uint16(5), 0.0)
	f.Add(encode(append(constant(1, 40), math.NaN(), math.Inf(1), math.Inf(-1), 0)...), int64(7), int64(-1), uint8(12), uint16(500), 1.0)
	f.Add(encode(traffic(60, time.Hour, 3)...), int64(math.MaxInt64), int64(spring), uint8(0), uint16(900), 0.0)
	f.Add(encode(traffic(189, time.Hour, 20)...), int64(time.Minute), int64(6_300_000_000), uint8(1), uint16(100), 0.0)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(f, err)
	models := append(forecast.Models(), forecast.Auto)
	f.Fuzz(func(t *testing.T, raw []byte, step, start int64, model uint8, horizon uint16, capacity float64) {
		const most = 400
		var values []float64
		for ; len(raw) >= 8 && len(values) < most; raw = raw[8:] {
			values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
		}
		r := forecast.Request{
			History: series.Series{Start: time.Unix(start%(1<<33), 0).In(berlin), Step: time.Duration(step), Values: values},
			Horizon: int(horizon), Model: models[int(model)%len(models)], Capacity: capacity,
			Probabilities: []float64{0.5, 0.95}, NonNegative: step%2 == 0,
		}
		if start%3 == 0 && step > 0 {
			r.Events = []forecast.Event{{Name: "deploy", Start: r.History.Start.Add(time.Duration(step / 2))}}
		}
		result, err := forecast.Run(r)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		requireSound(t, result, int(horizon))
	})
}

func TestRunOnAMillionPoints(t *testing.T) {
	values := traffic(1_000_000, time.Minute, 3)
	values[500_000], values[999_999] = math.Inf(1), math.NaN()
	r, err := forecast.Run(forecast.Request{History: history(time.Minute, values), Horizon: 1440})
	require.NoError(t, err)
	requireSound(t, r, 1440)
	require.Contains(t, r.Notices, "models learned from the last 25000 of 1000000 points")
}

func TestLogarithmsOfNegativeValuesAreRefused(t *testing.T) {
	values := traffic(200, time.Hour, 3)
	values[100] = -1
	for _, transform := range []forecast.Transform{forecast.Log, forecast.Logit} {
		_, err := forecast.Transformed{Transform: transform, Model: forecast.Naive{}, Ceiling: 1000}.Fit(values)
		require.ErrorIs(t, err, forecast.ErrNoModel, transform)
	}
	r, err := forecast.Run(forecast.Request{History: history(time.Hour, values), Horizon: 24, Model: "seasonal-ridge", NonNegative: true})
	require.NoError(t, err)
	requireSound(t, r, 24)
}

func TestRunOnIrregularTimestamps(t *testing.T) {
	regular := traffic(28*24*60, time.Minute, 3)
	var times []time.Time
	var values []float64
	for i := 0; i < len(regular); i += 1 + i*i%7 { // one to seven minutes apart, off the minute
		times = append(times, monday.Add(time.Duration(i)*time.Minute+time.Duration(i%50)*time.Second))
		values = append(values, regular[i])
	}
	laid, err := series.FromPoints(nil, times, values, 10*time.Minute)
	require.NoError(t, err)
	r, err := forecast.Run(forecast.Request{History: laid, Horizon: 144})
	require.NoError(t, err)
	requireSound(t, r, 144)
	require.Less(t, r.Error, 5.0)
}
