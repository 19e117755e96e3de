package metrics_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// All replicas lose their traffic at the end, one more than the others.
func TestPeersAreComparedWithOneAnother(t *testing.T) {
	replicas := func(n int) *engine.Engine {
		value := func(_ string, at time.Time) (all []series.Series) {
			minute := float64(at.Unix() / 60)
			for k := range n {
				v := 100 + 30*math.Sin(2*math.Pi*minute/1440) + 2*math.Sin(minute*(1.7+float64(k)))
				if left := enginetest.Noon.Sub(at); left < 20*time.Minute {
					v /= 2
					if k == 0 && left < 10*time.Minute {
						v /= 4
					}
				}
				all = append(all, series.Series{Labels: series.Labels{"pod": strconv.Itoa(k)}, Values: []float64{v}})
			}
			return all
		}
		return &engine.Engine{Metrics: enginetest.Metrics{Value: value}, Now: func() time.Time { return enginetest.Noon }}
	}
	window := core.Window{From: enginetest.Noon.Add(-time.Hour), To: enginetest.Noon, Step: time.Minute}
	q := query.Anomaly{Expr: "up", Peers: true, History: query.Duration(72 * time.Hour)}.WithDefaults()
	answer, err := replicas(4).Anomaly(t.Context(), q, window)
	require.NoError(t, err)
	require.Len(t, answer.Series, 4)
	for k, s := range answer.Series {
		require.Empty(t, s.Problem)
		if k > 0 {
			require.Empty(t, s.Result.Events, "%v", s.Labels)
		}
	}
	require.Len(t, answer.Series[0].Result.Events, 1)
	require.WithinDuration(t, enginetest.Noon.Add(-10*time.Minute), answer.Series[0].Result.Events[0].Start, time.Minute)

	answer, err = replicas(2).Anomaly(t.Context(), q, window)
	require.NoError(t, err)
	require.Contains(t, answer.Series[0].Problem, "peers compares at least 3 series")
}
