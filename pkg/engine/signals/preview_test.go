package signals_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

// pickyServer refuses one expression and has nothing under another.
type pickyServer struct{ enginetest.ServiceMetrics }

func (s pickyServer) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	switch promQL {
	case `sum(wrong{app="shop"}`:
		return upstream.SeriesSet{}, &upstream.Error{Upstream: "Prometheus", Category: upstream.Rejected, Message: "unclosed parenthesis"}
	case `sum(absent{app="shop"})`:
		return upstream.SeriesSet{}, nil
	}
	return s.ServiceMetrics.QueryRange(ctx, promQL, window)
}

func TestSignalsArePreviewedAsTheSettingsWouldBe(t *testing.T) {
	e, window := someEngine()
	e.Metrics = pickyServer{enginetest.ServiceMetrics{End: window.To}}
	own := func(kind, name, expr string) signals.Setting {
		return signals.Setting{Kind: kind, Name: name, Expr: expr, Direction: anomaly.Both, Weight: 1, Unit: "1/s"}
	}
	found, err := e.PreviewSignals(t.Context(), "shop", []signals.Setting{
		own("traffic", "checkouts", `sum(checkouts{app="$service"})`),
		own("saturation", "typo", `sum(wrong{app="$service"}`),
		own("dependency", "nothing", `sum(absent{app="$service"})`),
	}, core.Window{From: window.To.Add(-time.Hour), To: window.To})
	require.NoError(t, err)
	byName := map[string]signals.Preview{}
	for _, one := range found {
		byName[one.Name] = one
	}
	require.Len(t, byName, 5, "the settings' signals, and presets of the other kinds: %v", found)

	checkouts := byName["checkouts"]
	require.True(t, checkouts.Custom)
	require.Equal(t, `sum(checkouts{app="$service"})`, checkouts.Template)
	require.Equal(t, "1/s", checkouts.Unit)
	require.Positive(t, checkouts.Recent.Observed())
	require.Empty(t, checkouts.Problem)
	require.Contains(t, byName["typo"].Problem, "unclosed parenthesis")
	require.Equal(t, "there are no samples in this time", byName["nothing"].Problem)

	preset := byName["spans 95 % latency"]
	require.False(t, preset.Custom)
	require.Positive(t, preset.Recent.Observed())
	require.NoError(t, signals.Setting{Name: preset.Name, Kind: preset.Kind, Expr: preset.Template, Weight: 1}.Check(),
		"a preset's template can be taken over: %s", preset.Template)
	require.NotContains(t, preset.Template, "shop")
	require.NotContains(t, preset.Template, "$m")
	require.NotContains(t, preset.Template, "$r]")
	require.Empty(t, e.Signals, "the preview changes no settings")
}
