//go:build integration

// Package scale asks two plugin processes, as replicas of Grafana do, about the
// same shop on single servers, on a Mimir of one process, and on a Mimir and a
// Tempo that are split into their parts.
package scale

import (
	"context"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// replicas is how many plugin processes there are.
const replicas = 2

// Started once, by the first test that needs them; stopped at the end.
var (
	plugins = sync.OnceValues(func() (all []*harness.Plugin, err error) {
		for range replicas {
			p, err := harness.StartPlugin(context.Background(), io.Discard)
			if err != nil {
				return nil, err
			}
			stops = append(stops, p.Stop)
			all = append(all, p)
		}
		return all, nil
	})
	lab = sync.OnceValues(func() (*harness.Lab, error) {
		l, err := harness.StartLab(context.Background(), os.Stderr,
			"-history", "3d", "-servers", "prometheus,tempo,mimir,mimir-split,tempo-split")
		if err == nil {
			stops = append(stops, l.Stop)
		}
		return l, err
	})
	stops []func()
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, stop := range stops {
		stop()
	}
	os.Exit(code)
}

// started is the lab, and the plugin processes.
func started(t *testing.T) (*harness.Lab, []*harness.Plugin) {
	t.Helper()
	if os.Getenv("FORESIGHT_SCALE") == "" {
		t.Skip("needs a Mimir of ten processes and a Tempo of six: go tool mage scale")
	}
	l, err := lab()
	require.NoError(t, err)
	all, err := plugins()
	require.NoError(t, err)
	return l, all
}

// settings are those of the data source over each topology of the lab.
func settings(l *harness.Lab) map[string]map[string]any {
	over := func(prometheus, tempo, tenant string) map[string]any {
		return map[string]any{
			"prometheus": map[string]any{"mode": "direct", "url": prometheus, "tenant": tenant},
			"traces":     map[string]any{"kind": "tempo", "mode": "direct", "url": tempo, "tenant": tenant},
			"limits":     map[string]any{"timeout": "2m"},
			"series":     []any{map[string]any{"name": "demand", "expr": `sum(rate(http_server_request_duration_seconds_count{service_name="orders"}[5m]))`}},
		}
	}
	return map[string]map[string]any{
		"single":                over(l.Prometheus, l.Tempo, ""),
		"mimir":                 over(l.Mimir, l.TempoSplit, l.Tenant),
		"mimir and tempo split": over(l.MimirSplit, l.TempoSplit, l.Tenant),
	}
}
