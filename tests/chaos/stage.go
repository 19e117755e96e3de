package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

// Topology is the servers that a data source asks. Another one, split into
// parts, is another value.
type Topology struct {
	Name      string
	Flags     []string // of the lab
	Upstreams []Upstream
}

// Upstream is one address that the data source asks.
type Upstream struct {
	Name    string // as messages call it
	Setting string // of the data source
	// Processes are those of the lab behind the address.
	Processes []string
}

// Single is one process of each server.
var Single = Topology{
	Name: "single processes", Flags: []string{"-servers", "prometheus,tempo"},
	Upstreams: []Upstream{
		{Name: Prometheus, Setting: "prometheus", Processes: []string{"prometheus"}},
		{Name: Tempo, Setting: "traces", Processes: []string{"tempo"}},
	},
}

// stage is what the table is played on.
type stage struct {
	topology Topology
	lab      *harness.Lab
	plugin   *harness.Plugin
	scene    scene
	whole    map[string]reply // by question, without a fault
}

func openStage(ctx context.Context, topology Topology, log io.Writer, flags ...string) (*stage, error) {
	lab, err := harness.StartLab(ctx, log, append(flags, topology.Flags...)...)
	if err != nil {
		return nil, err
	}
	plugin, err := harness.StartPlugin(ctx, io.Discard)
	if err != nil {
		lab.Stop()
		return nil, err
	}
	return &stage{topology: topology, lab: lab, plugin: plugin, whole: map[string]reply{}}, nil
}

func (s *stage) close() {
	s.plugin.Stop()
	s.lab.Stop()
}

// source is a new data source, which knows nothing yet. Its servers are asked
// through proxies, where there are some.
func (s *stage) source(through map[string]*Proxy) asked {
	settings := s.lab.Settings()
	settings["limits"] = map[string]any{"timeout": Timeout.String()}
	for _, upstream := range s.topology.Upstreams {
		if proxy := through[upstream.Name]; proxy != nil {
			settings[upstream.Setting].(map[string]any)["url"] = proxy.URL()
		}
	}
	return asked{harness.DataSource{Plugin: s.plugin, Context: harness.PluginContext(settings, nil)}, s.scene}
}

// put asks a question, and measures.
func (q Question) put(ctx context.Context, on asked) reply {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	begun := time.Now()
	said, notices, err := q.ask(ctx, on)
	got := reply{facts: said, notices: notices, took: time.Since(begun)}
	if err != nil {
		var known *failed
		got.failure, got.blamed = err.Error(), backend.IsDownstreamError(err)
		if errors.As(err, &known) {
			got.blamed = known.blamed
		}
	}
	return got
}

// prepare lets a canary with a slow statement serve beside its baseline, until
// both its counts and its traces say so.
func (s *stage) prepare(ctx context.Context) error {
	begun := time.Now()
	time.Sleep(20 * time.Second) // of the baseline alone
	if err := s.lab.Canary(ctx, "orders", "2.0.0", "slow-query", 0.5); err != nil {
		return err
	}
	deadline := time.Now().Add(3 * time.Minute)
	for {
		on := s.source(nil)
		on.from, on.to = begun, time.Now().Add(-5*time.Second)
		found := map[string]string{}
		for _, name := range []string{"traceDiff", "verdict"} {
			for key, value := range question(name).put(ctx, on).facts {
				found[name+key] = value
			}
		}
		if found["traceDiffsummary/0/verdict"] == "regressed" && found["verdictverdict/0/verdict"] == "fail" {
			s.scene = on.scene
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the slow canary was not seen: %v", found)
		}
		time.Sleep(2 * time.Second)
	}
}

func question(name string) Question {
	for _, q := range Questions() {
		if q.Name == name {
			return q
		}
	}
	panic("there is no question " + name)
}
