package anomaly_test

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/anomaly/detector"
	"github.com/foresight-observability/foresight/pkg/forecast"
	"github.com/foresight-observability/foresight/pkg/series"
)

// requireStreamed streams the window point by point, learning anew at each
// midnight, and compares with what Detect says of it as a whole.
func requireStreamed(t require.TestingT, r anomaly.Request) {
	whole := detect(t, r)
	if whole.Actual.Len() == 0 {
		return
	}
	var stream *anomaly.Stream
	var events []anomaly.Event
	for i, v := range whole.Actual.Values {
		at := whole.Actual.Time(i)
		if stream == nil || !at.Before(stream.Until()) {
			part := r
			part.From, part.History.Values = at, r.History.Values[:r.History.Index(at)]
			model, err := anomaly.Learn(part)
			require.NoError(t, err)
			if stream == nil {
				stream, err = model.Stream(r)
				require.NoError(t, err)
			} else {
				stream.Renew(model)
			}
		}
		o := stream.Observe(v)
		require.Equal(t, at, o.Time)
		require.Equal(t, o.Expected, whole.Expected[i], "at %s", at)
		require.Equal(t, whole.Lower[i], o.Lower)
		require.Equal(t, whole.Upper[i], o.Upper)
		require.Equal(t, math.Float64bits(whole.Score[i]), math.Float64bits(o.Score), "%v and %v at %s", whole.Score[i], o.Score, at)
		switch {
		case o.Begins:
			events = append(events, *o.Event)
		case o.Event != nil:
			events[len(events)-1] = *o.Event
		}
	}
	require.Equal(t, whole.Events, events)
}

func TestStreamingIsBatch(t *testing.T) {
	values := traffic(learned+3*perDay, 12)
	add(values, learned+600, 40, 60)
	add(values, learned+perDay-30, 90, -60) // over midnight
	add(values, learned+2*perDay+300, perDay-300, 90)
	for i := learned + 900; i < learned+960; i++ {
		values[i] = math.NaN()
	}
	values[learned+1000] = math.Inf(1)
	r := request(values, learned)
	requireStreamed(t, r)
	r.Direction, r.MinDeviation, r.Threshold, r.Detectors = anomaly.Above, 5, 60, detector.Names()
	r.NonNegative, r.Probability, r.Past = true, 0.95, 3*day
	requireStreamed(t, r)
}

func TestStreamingIsBatchOnAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		step := rapid.SampledFrom([]time.Duration{10 * time.Minute, time.Hour, day}).Draw(t, "step")
		length := max(int(day/step), 24)
		past, window := length*rapid.IntRange(1, 3).Draw(t, "past"), rapid.IntRange(0, length+length/2).Draw(t, "window")
		value := rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Float64(), rapid.Just(math.NaN()), rapid.Just(0.0))
		r := anomaly.Request{
			// An epoch of the coarsest grid begins at multiples of its length.
			History:   series.Series{Start: time.Unix(0, 0).UTC(), Step: step, Values: rapid.SliceOfN(value, past+window, past+window).Draw(t, "values")},
			Direction: rapid.SampledFrom([]anomaly.Direction{anomaly.Both, anomaly.Above, anomaly.Below}).Draw(t, "direction"),
		}
		r.From = r.History.Time(past)
		if _, err := anomaly.Detect(r); err != nil {
			require.ErrorIs(t, err, forecast.ErrShortHistory)
			return
		}
		requireStreamed(t, r)
	})
}

func TestStreamsOfOneModelAreApart(t *testing.T) {
	values := traffic(learned+200, 13)
	r := request(values, learned)
	model, err := anomaly.Learn(r)
	require.NoError(t, err)
	calm, err := model.Stream(r)
	require.NoError(t, err)
	hit, err := model.Stream(r)
	require.NoError(t, err)
	alone, err := model.Stream(r)
	require.NoError(t, err)
	for i, v := range values[learned:] {
		hit.Observe(v + float64(i))
		require.Equal(t, alone.Observe(v), calm.Observe(v))
	}
}

func TestNamedModelsCannotBeStreamed(t *testing.T) {
	r := request(traffic(learned, 14), learned)
	r.Model = "seasonal-naive"
	_, err := anomaly.Learn(r)
	require.ErrorIs(t, err, anomaly.ErrBadRequest)
}

// What was learned before is the same as what is learned again.
func TestRememberedModelsChangeNothing(t *testing.T) {
	models := anomaly.NewModels(70_000) // room for three
	for _, seed := range []uint64{1, 2, 1, 3, 1} {
		r := request(traffic(learned+perDay+10, seed), learned)
		expected := detect(t, r)
		r.Models = models
		require.Equal(t, expected, detect(t, r))
		r.Detectors = []string{"z-score"}
		require.Len(t, detect(t, r).Judgements, 1)
	}
}

// Windows move on, of several lengths and over late samples, and each says what
// one that remembers nothing says.
func TestWindowsThatMoveOnChangeNothing(t *testing.T) {
	const perDay, step = 144, 10 * time.Minute
	const past = 3 * perDay
	values := traffic(past+perDay, 7)
	rapid.Check(t, func(t *rapid.T) {
		models := anomaly.NewModels(rapid.SampledFrom([]int{30_000, 70_000, 1 << 20}).Draw(t, "budget"))
		known := slices.Clone(values)
		now := past + perDay/4
		for range rapid.IntRange(2, 8).Draw(t, "questions") {
			now = min(now+rapid.IntRange(0, 12).Draw(t, "later"), len(values))
			if rapid.IntRange(0, 3).Draw(t, "late") == 0 {
				known[now-rapid.IntRange(1, perDay/8).Draw(t, "back")] = rapid.Float64Range(0, 500).Draw(t, "value")
			}
			r := request(known[:now], 0)
			r.History.Step = step
			r.From = r.History.Time(now - rapid.SampledFrom([]int{5, 20, 60, 61, 100}).Draw(t, "window"))
			expected, err := anomaly.Detect(r)
			require.NoError(t, err)
			r.Models = models
			r.Direction = anomaly.Both
			got, err := anomaly.Detect(r)
			require.NoError(t, err)
			require.Equal(t, expected, got)
		}
	})
}

func FuzzDetect(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"), uint16(60), uint16(3))
	f.Add(make([]byte, 8*300), uint16(3600), uint16(250))
	f.Fuzz(func(t *testing.T, raw []byte, seconds, from uint16) {
		var values []float64
		for ; len(raw) >= 8 && len(values) < 2000; raw = raw[8:] {
			values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
		}
		h := series.Series{Start: monday, Step: time.Duration(seconds) * time.Second, Values: values}
		at := monday
		if h.Step > 0 {
			at = h.Time(int(from) % (len(values) + 1))
		}
		r, err := anomaly.Detect(anomaly.Request{History: h, From: at})
		if err == nil {
			requireSound(t, r)
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	r := request(traffic(learned+perDay, 1), learned)
	model, err := anomaly.Learn(r)
	require.NoError(b, err)
	stream, err := model.Stream(r)
	require.NoError(b, err)
	at := 0
	for b.Loop() {
		stream.Observe(r.History.Values[learned+at%perDay])
		at++
	}
}

func BenchmarkDetectAgain(b *testing.B) {
	r := request(traffic(learned+perDay, 1), learned)
	r.Models = anomaly.NewModels(1 << 20)
	for b.Loop() {
		if _, err := anomaly.Detect(r); err != nil {
			b.Fatal(err)
		}
	}
}
