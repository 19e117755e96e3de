package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/anomaly"
	"github.com/foresight-observability/foresight/pkg/query"
)

func TestOwnSignalsStandInForPresetsOfTheirKind(t *testing.T) {
	e, window := someEngine()
	e.Signals = []SignalSetting{
		{Name: "checkout", Kind: latency, Expr: `histogram_quantile($quantile, sum by (le) (rate(checkout_bucket{app="$service", op=~"$operation"}[$interval])))`,
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

	signal, err := e.Signal(context.Background(), `a "b"`, latency, window)
	require.NoError(t, err)
	require.Contains(t, signal.Expr, `app="a \x22b\x22"`)
}

func TestOwnSignalsAreChecked(t *testing.T) {
	good := SignalSetting{Name: "a", Kind: traffic, Expr: `x{app="$service"}`, Weight: 1}
	require.NoError(t, good.Check())
	for want, change := range map[string]func(*SignalSetting){
		"name is missing":    func(s *SignalSetting) { s.Name = "" },
		`kind is "mood"`:     func(s *SignalSetting) { s.Kind = "mood" },
		"expr is missing":    func(s *SignalSetting) { s.Expr = "" },
		"outside of a text":  func(s *SignalSetting) { s.Expr = `x{app="a"} # $service` + "\n* $service" },
		"does not hold":      func(s *SignalSetting) { s.Expr = "x" },
		"belong together":    func(s *SignalSetting) { s.Quantiles = []float64{0.5} },
		"weight is 0":        func(s *SignalSetting) { s.Weight = 0 },
		"minDeviation is -1": func(s *SignalSetting) { s.MinDeviation = -1 },
		"quantiles holds 95": func(s *SignalSetting) { s.Expr += " > $quantile"; s.Quantiles = []float64{95} },
	} {
		bad := good
		change(&bad)
		require.ErrorContains(t, bad.Check(), want)
	}
}

// A signal without a past is told of once it speaks, and one that is silent and
// never was there is not.
func TestNewSignalsAreLeftOut(t *testing.T) {
	e, window := someEngine()
	e.Signals = []SignalSetting{{Name: "new", Kind: saturation, Expr: `new{app="$service"}`, Weight: 1, Direction: anomaly.Above}}
	e.Metrics = newborn{someServer{end: window.To}, window.From}
	found, err := e.Composite(context.Background(), query.Composite{Service: "shop"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Len(t, found.Result.Signals, 3)
	require.Contains(t, strings.Join(found.Notices, "\n"), "new: too new to be judged, with 0 samples before the window.")
	e.Metrics = newborn{someServer{end: window.To}, window.To.Add(time.Hour)}
	found, err = e.Composite(context.Background(), query.Composite{Service: "shop"}.WithDefaults(), window)
	require.NoError(t, err)
	require.Empty(t, found.Notices)
}
