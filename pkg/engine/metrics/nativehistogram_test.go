package metrics_test

import (
	"math"
	"testing"
	"time"

	native "github.com/prometheus/prometheus/model/histogram"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
)

// nativeHistogram is a native histogram of ten requests a second around 50 ms, with four
// buckets for each power of two; from an instant on some take most of a second.
func nativeHistogram(second float64, since time.Time) enginetest.Scraped {
	const first, count = -40, 48 // 2^-10 to 2^2
	sums := make([]float64, count)
	below := func(bound, center, width float64) float64 {
		return 0.5 * math.Erfc(-math.Log(bound/center)/width/math.Sqrt2)
	}
	return enginetest.Scraped{
		Labels: enginetest.Named("http_server_request_duration_seconds", "service_name", "orders"),
		From:   enginetest.Noon.Add(-4 * 24 * time.Hour), To: enginetest.Noon, Every: time.Minute,
		Histogram: func(at time.Time) *native.FloatHistogram {
			minute := float64(at.Unix() / 60)
			center := 0.05 * (1 + 0.2*math.Sin(2*math.Pi*minute/1440)) * (1 + 0.03*math.Sin(minute*minute))
			h := &native.FloatHistogram{Schema: 2, PositiveSpans: []native.Span{{Offset: first, Length: count}}}
			for i := range sums {
				high, low := math.Exp2(float64(first+i)/4), math.Exp2(float64(first+i-1)/4)
				part := below(high, center, 0.5) - below(low, center, 0.5)
				if !at.Before(since) {
					part = (1-second)*part + second*(below(high, 0.7, 0.2)-below(low, 0.7, 0.2))
				}
				sums[i] += math.Round(600 * part)
				h.Count += sums[i]
				h.Sum += sums[i] * (high + low) / 2
			}
			h.PositiveBuckets = append(h.PositiveBuckets, sums...)
			return h
		},
	}
}

func TestSecondModeOfNativeHistograms(t *testing.T) {
	noon := enginetest.Noon
	begun := noon.Add(-20 * time.Minute)
	ask := func(second float64) engine.AnomalyAnswer {
		e := &engine.Engine{Metrics: enginetest.NewPromServer(nativeHistogram(second, begun)), Now: func() time.Time { return noon }}
		q := query.Anomaly{
			Expr:         "sum(rate(http_server_request_duration_seconds[5m])) # of all", // a comment ends at the line's end
			Distribution: true, History: query.Duration(3 * 24 * time.Hour),
		}.WithDefaults()
		require.NoError(t, q.Validate())
		answer, err := e.Anomaly(t.Context(), q, core.Window{From: noon.Add(-time.Hour), To: noon})
		require.NoError(t, err)
		require.Len(t, answer.Series, 1)
		require.Empty(t, answer.Series[0].Problem)
		return answer
	}
	found := ask(0.05)
	require.Len(t, found.Series[0].Result.Events, 1)
	require.WithinDuration(t, begun.Add(6*time.Minute), found.Series[0].Result.Events[0].Start, 4*time.Minute)
	require.Contains(t, found.Remarks[0], "is a native one")
	require.Contains(t, found.Remarks[1], "of the observations are between 0.5 and 0.7071, usually")
	require.Empty(t, ask(0).Series[0].Result.Events)
}
