package ops_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/impact"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// annotations is a source of what was written down, or of an error.
type annotations[T any] struct {
	all []T
	err error
}

func (a annotations[T]) Read(context.Context, time.Time, time.Time) ([]T, []string, error) {
	return a.all, nil, a.err
}

var morning = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func hour(h float64) time.Time { return morning.Add(time.Duration(h * float64(time.Hour))) }

// between is a value in start ≤ t < end, else another.
func between(at time.Time, start, end, value, otherwise float64) float64 {
	if at.Before(hour(start)) || !at.Before(hour(end)) {
		return otherwise
	}
	return value
}

// aDay of the shop: cart harmed its users from 6:00 to 6:30, foretold at 5:30
// and told of at 6:03; at 12:00 was a false alarm. At 9:00 a rollout of orders
// was stopped by our verdict.
func aDay(promQL string, at time.Time) []series.Series {
	absent := math.NaN()
	one := func(value float64, labels series.Labels) series.Series {
		return series.Series{Labels: labels, Values: []float64{value}}
	}
	switch {
	case promQL == "harm":
		return []series.Series{
			one(between(at, 6, 6.5, 1, 0), series.Labels{"service": "cart"}), one(0, series.Labels{"service": "orders"}),
		}
	case strings.Contains(promQL, "GRAFANA_ALERTS"):
		return []series.Series{
			one(between(at, 5.5, 5.6, 1, absent), series.Labels{"alertname": "Soon", "service": "cart", "horizon": "1h"}),
			one(between(at, 6.05, 6.2, 1, between(at, 6.25, 6.5, 1, absent)), series.Labels{"alertname": "Errors", "service": "cart"}),
			one(between(at, 12, 12.2, 1, absent), series.Labels{"alertname": "Errors", "service": "cart"}),
			one(between(at, 12, 12.2, 1, absent), series.Labels{"alertname": "Disk", "instance": "db-1"}),
		}
	case strings.Contains(promQL, "rollout_events_total"):
		return []series.Series{one(between(at, 9, 24, 1, absent), series.Labels{"namespace": "shop", "name": "orders"})}
	case strings.Contains(promQL, "foresight_canary_verdict"):
		return []series.Series{one(between(at, 8.9, 9.2, 1, absent), series.Labels{"namespace": "shop", "name": "orders-7f9c-2"})}
	case strings.HasPrefix(promQL, "count(rollout_info)"):
		return []series.Series{one(1, nil)}
	case promQL == "load":
		return []series.Series{one(between(at, 18, 20, 450, 70), series.Labels{"service": "cart"})}
	case promQL == "replicas":
		return []series.Series{one(between(at, 17.9, 20, 5, 1), series.Labels{"service": "cart"})}
	}
	return nil
}

func impactEngine() *engine.Engine {
	return &engine.Engine{Metrics: enginetest.Metrics{Value: aDay}, Now: func() time.Time { return hour(24) }}
}

func TestImpact(t *testing.T) {
	q := query.Impact{Objective: "harm", Demand: "load", Replicas: "replicas", PerReplica: 100}.WithDefaults()
	got, err := impactEngine().Impact(t.Context(), q, core.Window{From: morning, To: hour(24)})
	require.NoError(t, err)
	report := got.Report
	require.Equal(t, [2]int{2, 3}, [2]int{report.Precision.Count, report.Precision.Of}, "%+v", report.Episodes)
	require.Equal(t, 1, report.Precision.LeftOut, "no service is named")
	require.Equal(t, [2]int{1, 1}, [2]int{report.Recall.Count, report.Recall.Of})
	require.Equal(t, 30*time.Minute, report.Lead.Median)
	require.Equal(t, 3*time.Minute, report.Detect.Median)
	require.Equal(t, 30*time.Minute, report.Resolve.Median)
	require.Len(t, report.Prevented, 1, "nothing but our own fail speaks for the rollback of orders")
	require.Contains(t, strings.Join(report.NotCounted, " "), "1 (100 %) are of unknown need")
	require.Equal(t, impact.ByCapacity, report.Prevented[0].Ground)
	require.Equal(t, hour(18), report.Prevented[0].At)
	require.NotEmpty(t, got.Queries)

	q.Service, q.Alerts = "orders", "Err.*"
	got, err = impactEngine().Impact(t.Context(), q, core.Window{From: morning, To: hour(24)})
	require.NoError(t, err)
	require.False(t, got.Report.Precision.Known())
	require.Empty(t, got.Report.Incidents)
	require.Empty(t, got.Report.Prevented)
}

// TestImpactOfAnnotations knows only what was written down in Grafana.
func TestImpactOfAnnotations(t *testing.T) {
	e := &engine.Engine{
		Now:       func() time.Time { return hour(24) },
		Incidents: annotations[annotation.Incident]{all: []annotation.Incident{{Service: "cart", Start: hour(6), End: hour(7)}}},
		Feedback:  annotations[annotation.Feedback]{all: []annotation.Feedback{{Service: "orders", At: hour(10), Real: true}}},
		Acts:      annotations[annotation.Act]{all: []annotation.Act{{Service: "cart", At: hour(8)}}},
		Alerts: annotations[annotation.Alert]{all: []annotation.Alert{
			{Service: "cart", Name: "Errors", Start: hour(6.1), End: hour(7)}, {Service: "orders", Name: "Errors", Start: hour(9.9), End: hour(10.1)},
			{Service: "stock", Name: "Errors", Start: hour(3), End: hour(3.1)}, {Service: "stock", Name: "Open", Start: hour(4)},
		}},
	}
	got, err := e.Impact(t.Context(), query.Impact{}.WithDefaults(), core.Window{From: morning, To: hour(24)})
	require.NoError(t, err)
	require.Equal(t, [3]int{2, 3, 1}, [3]int{got.Report.Precision.Count, got.Report.Precision.Of, got.Report.Precision.LeftOut}, "%+v", got.Report.Episodes)
	require.Equal(t, 6*time.Minute, got.Report.Detect.Median)
	require.Contains(t, strings.Join(got.Notices, " "), "Deploys, and the rollbacks that they show, are unknown")
}

func TestImpactSaysWhatIsNotKnown(t *testing.T) {
	e := impactEngine()
	got, err := e.Impact(t.Context(), query.Impact{}.WithDefaults(), core.Window{From: morning, To: hour(24)})
	require.NoError(t, err)
	require.False(t, got.Report.Precision.Known())
	require.Contains(t, strings.Join(got.Notices, " "), "give an objective")

	e.Metrics = enginetest.Metrics{Value: aDay, Err: errors.New("disk full")}
	_, err = e.Impact(t.Context(), query.Impact{Objective: "harm"}.WithDefaults(), core.Window{From: morning, To: hour(24)})
	require.ErrorContains(t, err, "disk full")
	_, err = e.Impact(t.Context(), query.Impact{}.WithDefaults(), core.Window{From: morning, To: hour(24)})
	require.ErrorContains(t, err, "disk full", "without alerts no incident was told of, which is no finding")

	e = impactEngine()
	e.Traces = brokenTraces{}
	got, err = e.Impact(t.Context(), query.Impact{Objective: "harm"}.WithDefaults(), core.Window{From: morning, To: hour(24)})
	require.NoError(t, err)
	require.ErrorIs(t, got.DeploysUnknown, errBroken)
	require.Contains(t, strings.Join(got.Notices, " "), "Deploys, and the rollbacks that they show, are unknown")
	require.True(t, got.Report.Recall.Known())

	e.Feedback = annotations[annotation.Feedback]{err: errors.New("no permission")}
	_, err = e.Impact(t.Context(), query.Impact{Objective: "harm"}.WithDefaults(), core.Window{From: morning, To: hour(24)})
	require.ErrorContains(t, err, "no permission")

	_, err = (&engine.Engine{Now: e.Now}).Impact(t.Context(), query.Impact{}.WithDefaults(), core.Window{From: morning, To: hour(24)})
	require.ErrorIs(t, err, core.ErrNoMetrics)
	_, err = e.Impact(t.Context(), query.Impact{}.WithDefaults(), core.Window{From: hour(1), To: hour(1)})
	require.ErrorContains(t, err, "shorter than two steps")
}
