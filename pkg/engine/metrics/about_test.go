package metrics

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/series"
)

func TestFeedbackComesFromQueriesAndAnnotations(t *testing.T) {
	window := core.Window{From: time.Unix(0, 0), To: time.Unix(86400, 0).UTC()}
	var e Evaluator
	at := window.To.Add(-3 * time.Hour)
	e.Feedback = enginetest.Feedback{All: []annotation.Feedback{
		{At: at, Real: true}, {At: at, Service: "shop"},
	}}
	q := query.Anomaly{Expr: "up", Feedback: []query.Feedback{{Time: "-1h", Real: new(true)}}}.WithDefaults()
	var basis core.Provenance
	said, err := e.feedback(context.Background(), q, core.NewGrid(window, time.Hour, 0, window.To), &basis)
	require.NoError(t, err)
	require.Len(t, said, 3)
	require.Equal(t, window.To.Add(-time.Hour), said[0].Time)
	require.Len(t, about(said, series.Labels{"service": "shop"}), 3)
	require.Len(t, about(said, series.Labels{"service": "cart"}), 2, "what is said of one service says nothing of another")
	require.Empty(t, basis.Notices)
}
