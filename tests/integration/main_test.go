//go:build integration

// Package integration asks the real plugin process, over Grafana's plugin
// protocol, about a real Prometheus and a real Tempo, and about servers that
// misbehave.
package integration

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/tests/harness"
)

// Started once, by the first test that needs it; stopped at the end.
var (
	plugin = sync.OnceValues(func() (*harness.Plugin, error) {
		log := io.Writer(os.Stderr)
		if !testing.Verbose() {
			log = io.Discard // most tests provoke errors, and the plugin logs each
		}
		p, err := harness.StartPlugin(context.Background(), log)
		if err == nil {
			stops = append(stops, p.Stop)
		}
		return p, err
	})
	lab = sync.OnceValues(func() (*harness.Lab, error) {
		l, err := harness.StartLab(context.Background(), os.Stderr)
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

func startedPlugin(t *testing.T) *harness.Plugin {
	t.Helper()
	p, err := plugin()
	require.NoError(t, err)
	return p
}

// shop is the data source over the lab.
func shop(t *testing.T) (harness.DataSource, *harness.Lab) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the lab's servers; run without -short")
	}
	l, err := lab()
	require.NoError(t, err)
	return harness.DataSource{Plugin: startedPlugin(t), Context: harness.PluginContext(l.Settings(), nil)}, l
}

// eventually asks until the answer satisfies, for the time that spans and
// samples need to be stored.
func eventually(t *testing.T, patience time.Duration, what string, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			require.NoError(t, err, what)
		}
		time.Sleep(time.Second)
	}
}

func unless(holds bool, format string, arguments ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, arguments...)
}
