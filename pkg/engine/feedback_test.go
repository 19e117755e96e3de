package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

// verdicts is a Grafana with annotations that judge events, or an error.
type verdicts struct {
	found []annotation.Feedback
	err   error
}

func (v verdicts) Read(context.Context, time.Time, time.Time) ([]annotation.Feedback, []string, error) {
	return v.found, nil, v.err
}

func TestFeedbackComesFromQueriesAndAnnotations(t *testing.T) {
	e, window := someEngine()
	at := window.To.Add(-3 * time.Hour)
	e.Feedback = verdicts{found: []annotation.Feedback{
		{At: at, Real: true}, {At: at, Service: "shop"},
	}}
	q := query.Anomaly{Expr: "up", Feedback: []query.Feedback{{Time: "-1h", Real: new(true)}}}.WithDefaults()
	var basis Basis
	said, err := e.feedback(context.Background(), q, gridFor(window, time.Hour, 0, window.To), &basis)
	require.NoError(t, err)
	require.Len(t, said, 3)
	require.Equal(t, window.To.Add(-time.Hour), said[0].Time)
	require.Len(t, about(said, series.Labels{"service": "shop"}), 3)
	require.Len(t, about(said, series.Labels{"service": "cart"}), 2, "what is said of one service says nothing of another")
	require.Empty(t, basis.Notices)

	found, err := e.Anomaly(context.Background(), q, window)
	require.NoError(t, err)
	require.Contains(t, found.Series[0].Result.Notices[0], "not re-ranked")
}

func TestWithoutAnnotationsFeedbackIsThatOfTheQuery(t *testing.T) {
	e, window := someEngine()
	e.Feedback = verdicts{err: errors.New("denied")}
	found, err := e.Anomaly(context.Background(), query.Anomaly{Expr: "up"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Empty(t, found.Series[0].Problem)
	require.Equal(t, []string{"Annotations that say whether events were real are not known: denied"}, found.Notices)
}
