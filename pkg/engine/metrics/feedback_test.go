package metrics_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
)

func TestWithoutAnnotationsFeedbackIsThatOfTheQuery(t *testing.T) {
	e, window := someEngine()
	e.Feedback = enginetest.Feedback{Err: errors.New("denied")}
	found, err := e.Anomaly(context.Background(), query.Anomaly{Expr: "up"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Empty(t, found.Series[0].Problem)
	require.Equal(t, []string{"Annotations that say whether events were real are unknown: denied"}, found.Notices)
}

func TestFeedbackReachesTheDetector(t *testing.T) {
	e, window := someEngine()
	e.Feedback = enginetest.Feedback{All: []annotation.Feedback{{At: window.To.Add(-3 * time.Hour), Real: true}}}
	found, err := e.Anomaly(context.Background(), query.Anomaly{Expr: "up"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Contains(t, found.Series[0].Result.Notices[0], "not re-ranked")
}
