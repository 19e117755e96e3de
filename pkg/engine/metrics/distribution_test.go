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
)

// histogram is a classic one of ten requests a second, around 50 ms; from an instant
// on some of them take most of a second.
func histogram(second float64, since time.Time, bounds func(time.Time) []float64) (all []enginetest.Scraped) {
	noon := enginetest.Noon
	from := noon.Add(-4 * 24 * time.Hour)
	below := func(bound, center, width float64) float64 {
		return 0.5 * math.Erfc(-math.Log(bound/center)/width/math.Sqrt2)
	}
	for _, bound := range []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, math.Inf(1)} {
		le := "+Inf"
		if !math.IsInf(bound, 1) {
			le = strconv.FormatFloat(bound, 'g', -1, 64)
		}
		begun := from
		for bounds != nil && !math.IsInf(bound, 1) && begun.Before(noon) && !contains(bounds(begun), bound) {
			begun = begun.Add(time.Hour)
		}
		sum := 0.0
		all = append(all, enginetest.Scraped{
			Labels: enginetest.Named("http_server_request_duration_seconds_bucket", "service_name", "orders", "le", le), From: begun, To: noon, Every: time.Minute,
			Value: func(at time.Time) float64 {
				minute := float64(at.Unix() / 60)
				day := 1 + 0.2*math.Sin(2*math.Pi*minute/1440)
				part := below(bound, 0.05*day*(1+0.03*math.Sin(minute*minute)), 0.5)
				if !at.Before(since) {
					part = (1-second)*part + second*below(bound, 0.7, 0.2)
				}
				sum += math.Round(600 * part)
				return sum
			},
		})
	}
	return all
}

func contains(all []float64, one float64) bool {
	for _, v := range all {
		if v == one {
			return true
		}
	}
	return false
}

func askShape(t *testing.T, server *enginetest.PromServer) engine.AnomalyAnswer {
	t.Helper()
	noon := enginetest.Noon
	e := &engine.Engine{Metrics: server, Now: func() time.Time { return noon }}
	q := query.Anomaly{
		Expr: "sum by (le) (rate(http_server_request_duration_seconds_bucket[5m]))", Distribution: true, History: query.Duration(3 * 24 * time.Hour),
	}.WithDefaults()
	require.NoError(t, q.Validate())
	answer, err := e.Anomaly(t.Context(), q, core.Window{From: noon.Add(-time.Hour), To: noon})
	require.NoError(t, err)
	return answer
}

func TestSecondModeIsSeenInTheShape(t *testing.T) {
	begun := enginetest.Noon.Add(-20 * time.Minute)
	answer := askShape(t, enginetest.NewPromServer(histogram(0.05, begun, nil)...))
	require.Len(t, answer.Series, 1)
	require.Empty(t, answer.Series[0].Problem)
	events := answer.Series[0].Result.Events
	require.Len(t, events, 1)
	require.WithinDuration(t, begun.Add(6*time.Minute), events[0].Start, 4*time.Minute)
	require.Len(t, answer.Remarks, 1)
	require.Contains(t, answer.Remarks[0], "of the observations are between 0.5 and 1, usually")

	answer = askShape(t, enginetest.NewPromServer(histogram(0, begun, nil)...))
	require.Empty(t, answer.Series[0].Problem)
	require.Empty(t, answer.Series[0].Result.Events)
}

// Buckets that came later are left out by name. Where too few are left, the problem
// says so, and series that are no buckets have a message of their own.
func TestBucketsThatChange(t *testing.T) {
	noon := enginetest.Noon
	since := func(when time.Duration, which ...float64) func(time.Time) []float64 {
		return func(at time.Time) []float64 {
			all := []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}
			if at.Before(noon.Add(-when)) {
				return which
			}
			return all
		}
	}
	answer := askShape(t, enginetest.NewPromServer(histogram(0, noon, since(5*time.Hour, 0.01, 0.05, 0.1, 0.5, 1))...))
	require.Empty(t, answer.Series[0].Problem)
	require.Empty(t, answer.Series[0].Result.Events)
	require.Contains(t, answer.Series[0].Result.Notices[0], "the bounds 0.025, 0.25, 2.5 were not there")

	answer = askShape(t, enginetest.NewPromServer(histogram(0, noon, since(5*time.Hour, 0.1))...))
	require.Contains(t, answer.Series[0].Problem, "buckets changed: of 8 bounds only 1")

	plain := enginetest.Scraped{Labels: enginetest.Named("http_server_request_duration_seconds_bucket", "service_name", "orders"), From: noon.Add(-time.Hour), To: noon, Every: time.Minute, Value: enginetest.Counter(noon.Add(-time.Hour), 3)}
	require.Contains(t, askShape(t, enginetest.NewPromServer(plain)).Series[0].Problem, "without the label le")
}
