package signals_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/engine"
	"github.com/foresight-observability/foresight/pkg/engine/core"
	"github.com/foresight-observability/foresight/pkg/engine/enginetest"
	"github.com/foresight-observability/foresight/pkg/engine/signals"
	"github.com/foresight-observability/foresight/pkg/query"
	"github.com/foresight-observability/foresight/pkg/upstream"
)

func TestOwnSignalsStandInForPresetsOfTheirKind(t *testing.T) {
	e, window := someEngine()
	e.Signals = []signals.Setting{
		{Name: "checkout", Kind: signals.Latency, Expr: `histogram_quantile($quantile, sum by (le) (rate(checkout_bucket{app="$service", op=~"$operation"}[$interval])))`,
			Quantiles: []float64{0.5, 0.99}, Unit: "s", Direction: anomaly.Above, Weight: 1},
	}
	found, err := e.Composite(context.Background(), query.Composite{Service: `shop`}.WithDefaults(), window)
	require.NoError(t, err)
	require.Empty(t, found.Problem)
	var names []string
	for _, s := range found.Result.Signals {
		names = append(names, s.Name)
	}
	require.Equal(t, []string{"checkout 50 %", "checkout 99 %", "spans requests per second", "spans share of errors"}, names)
	require.Contains(t, strings.Join(found.Queries, "\n"), `histogram_quantile(0.99, sum by (le) (rate(checkout_bucket{app="shop", op=~".*"}[300s])))`)
	require.Equal(t, "s", found.Parameters["unit of checkout 99 %"])

	signal, err := e.Signal(context.Background(), `a "b"`, signals.Latency, window)
	require.NoError(t, err)
	require.Contains(t, signal.Expr, `app="a \x22b\x22"`)
}

// A signal without a past is told of once it speaks, and one that is silent and
// never was there is not.
func TestNewSignalsAreLeftOut(t *testing.T) {
	e, window := someEngine()
	e.Signals = []signals.Setting{{Name: "new", Kind: signals.Saturation, Expr: `new{app="$service"}`, Weight: 1, Direction: anomaly.Above}}
	e.Metrics = newborn{enginetest.ServiceMetrics{End: window.To}, window.From}
	found, err := e.Composite(context.Background(), query.Composite{Service: "shop"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, found.Result.Signals, 3)
	require.Contains(t, strings.Join(found.Remarks, "\n"), "new: too new to be judged, with 0 samples before the window.")
	e.Metrics = newborn{enginetest.ServiceMetrics{End: window.To}, window.To.Add(time.Hour)}
	found, err = e.Composite(context.Background(), query.Composite{Service: "shop"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Empty(t, found.Notices)
}

// newborn has samples of the metric "new" from a time on.
type newborn struct {
	enginetest.ServiceMetrics
	from time.Time
}

func (n newborn) QueryRange(ctx context.Context, promQL string, window upstream.Range) (upstream.SeriesSet, error) {
	set, err := n.ServiceMetrics.QueryRange(ctx, promQL, window)
	if !strings.HasPrefix(promQL, "new{") || err != nil {
		return set, err
	}
	one := &set.Series[0]
	for i := range one.Values {
		if one.Time(i).Before(n.from) {
			one.Values[i] = math.NaN()
		}
	}
	if one.Observed() == 0 {
		return upstream.SeriesSet{}, nil
	}
	return set, nil
}

func someEngine() (*engine.Engine, core.Window) {
	end := enginetest.Noon
	return &engine.Engine{Metrics: enginetest.ServiceMetrics{End: end}, Now: func() time.Time { return end }}, core.Window{From: end.Add(-6 * time.Hour), To: end, Step: time.Minute}
}
