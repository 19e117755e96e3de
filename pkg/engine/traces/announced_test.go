package traces_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/annotation"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/deploys"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/trace/diff"
	"github.com/foresight-observability/foresight/pkg/trace/pattern"
	"github.com/foresight-observability/foresight/pkg/trace/tracetest"
)

// TestAnnouncedDeployIsCompared checks that an announced instant parts the
// traces where spans carry no version, and that it is said.
func TestAnnouncedDeployIsCompared(t *testing.T) {
	e := newEngine(enginetest.WithoutVersions(enginetest.ShopWithDeploy(tracetest.Shop{NPlusOne: 20})), nil)
	e.DeployLogs = annotated(annotation.Deploy{Service: "orders", Version: "2024-1", At: enginetest.Deployed, Text: "release 2024-1"})
	found, err := e.Patterns(context.Background(), query.Patterns{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.True(t, found.Compared)
	require.Len(t, found.Result.Findings, 1)
	require.Equal(t, pattern.Introduced, found.Result.Findings[0].Change)
	notices := strings.Join(found.Notices, " ")
	require.Contains(t, notices, "an annotation in Grafana (release 2024-1)")
	require.Contains(t, notices, "Spans do not carry both versions")

	e.Now = func() time.Time { return enginetest.Deployed.Add(2 * time.Second) }
	early, err := e.TraceDiff(context.Background(), query.TraceDiff{Service: "orders"}.WithDefaults(), core.Window{From: enginetest.Window.From, To: enginetest.Deployed.Add(time.Second)})
	require.NoError(t, err, "a rule that asks at the instant of the deploy must not fail")
	require.Equal(t, diff.Insufficient, early.Result.Verdict)
	e.Now = func() time.Time { return enginetest.Midnight.Add(time.Hour) }

	compared, err := e.TraceDiff(context.Background(), query.TraceDiff{Service: "orders"}.WithDefaults(), enginetest.Window)
	require.NoError(t, err)
	require.Equal(t, diff.Regressed, compared.Result.Verdict, compared.Result.Reason)
	require.Contains(t, strings.Join(compared.Notices, " "), "an annotation in Grafana")
}

func annotated(markers ...annotation.Deploy) []deploys.Log {
	return []deploys.Log{{Source: deploys.FromAnnotation, Deploys: enginetest.Announcements{All: markers}}}
}
