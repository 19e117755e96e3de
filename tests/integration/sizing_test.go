//go:build integration

package integration

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// sizes are the recommendations for a service, and what they rest on.
type sizes struct{ recommendations, basis *data.Frame }

func sizesOf(t *testing.T, source harness.DataSource, service string) (sizes, error) {
	t.Helper()
	to := time.Now()
	frames, err := source.Ask(t.Context(), to.Add(-time.Hour), to, map[string]any{"queryType": "sizing", "service": service})
	if err != nil {
		return sizes{}, err
	}
	recommendations, err := harness.Frame(frames, "recommendations")
	if err != nil {
		return sizes{}, err
	}
	basis, err := harness.Frame(frames, "basis")
	for _, notice := range recommendations.Meta.Notices {
		t.Log(service, notice.Text)
	}
	return sizes{recommendations, basis}, err
}

// of is a number of the recommendation for a setting; NaN where there is none.
func (s sizes) of(setting, column string) float64 {
	for row := range s.recommendations.Rows() {
		if harness.Text(s.recommendations, "setting", row) == setting {
			return harness.Number(s.recommendations, column, row)
		}
	}
	return math.NaN()
}

func (s sizes) restsOn(setting, name string) float64 {
	for row := range s.basis.Rows() {
		if harness.Text(s.basis, "setting", row) == setting && harness.Text(s.basis, "name", row) == name {
			return harness.Number(s.basis, "value", row)
		}
	}
	return math.NaN()
}

// Every size of a service that has all metrics is found without a word of
// configuration, and a rule gets the sizes that have a present to compare with.
func TestSizingOverTheShop(t *testing.T) {
	source, _ := shop(t)
	eventually(t, 2*time.Minute, "sizes of orders", func() error {
		found, err := sizesOf(t, source, "orders")
		if err != nil {
			return err
		}
		for row := range found.recommendations.Rows() {
			t.Log(harness.Text(found.recommendations, "setting", row), harness.Number(found.recommendations, "recommended", row),
				harness.Number(found.recommendations, "present", row), harness.Text(found.recommendations, "reason", row))
		}
		for _, setting := range []string{"replicas", "pool_size", "max_concurrency", "outlier_detection", "circuit_breaker", "load_shed"} {
			value := found.of(setting, "recommended")
			if !(value >= found.of(setting, "lower") && value <= found.of(setting, "upper")) {
				return fmt.Errorf("%s: %g is not between its bounds", setting, value)
			}
		}
		return unless(found.of("replicas", "present") >= 1 && found.of("pool_size", "present") == 10, "orders has a pool of ten")
	})
	to := time.Now()
	rule, err := source.AskAsRule(t.Context(), to.Add(-30*time.Minute), to, map[string]any{"queryType": "sizing", "service": "orders"})
	require.NoError(t, err)
	require.Len(t, rule, 1)
	require.Equal(t, data.FrameTypeNumericWide, rule[0].Meta.Type)
	require.Len(t, rule[0].Fields, 2)

	cache, err := sizesOf(t, source, "cache")
	require.NoError(t, err)
	require.Positive(t, cache.restsOn("cache_warm", "share of reads that hit"))
}

// Connections that come back ever later need a larger pool than the ten that
// there are: the least in which one request in a hundred waits, at the holding
// time that the metrics show.
func TestSizingOfAPoolThatRunsOut(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the lab's servers; run without -short")
	}
	// A lab of its own, so that failed requests are in nobody else's way.
	l, err := harness.StartLab(t.Context(), os.Stderr, "-history", "3d")
	require.NoError(t, err)
	defer l.Stop()
	source := harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(l.Settings(), nil)}
	require.NoError(t, l.Ramp(t.Context(), "pool-exhaustion", 30*time.Second))
	eventually(t, 8*time.Minute, "a pool for connections that are held long", func() error {
		found, err := sizesOf(t, source, "orders")
		if err != nil {
			return err
		}
		size, hold := found.of("pool_size", "recommended"), found.restsOn("pool_size", "a connection is held for")
		load := hold * found.restsOn("pool_size", "connections requested by an instance") *
			math.Max(1, found.restsOn("pool_size", "growth up to the highest load"))
		if !(hold > 0.4) {
			return fmt.Errorf("connections are held for %g s only", hold)
		}
		t.Logf("%g connections for a load of %.3g, held for %.3g s", size, load, hold)
		late := func(size float64) float64 { return waits(int(size), load) * math.Exp(-(size-load)*0.05/hold) }
		return unless(size > 10 && late(size) <= 0.011 && late(size-1) > 0.009, "%g connections for a load of %g", size, load)
	})
}

// waits is Erlang's probability that a request waits for one of the connections.
func waits(connections int, load float64) float64 {
	blocked := 1.0
	for c := 1; c <= connections; c++ {
		blocked = load * blocked / (float64(c) + load*blocked)
	}
	return blocked / (1 - load/float64(connections)*(1-blocked))
}
