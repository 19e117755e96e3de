package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/foresight-observability/foresight/tests/harness"
)

// Topology is the servers that a data source asks. Another one, split into
// parts, is another value.
type Topology struct {
	Name      string
	Flags     []string // of the lab
	Settings  func(*harness.Lab) map[string]any
	Upstreams []Upstream
}

// Upstream is one address that the data source asks.
type Upstream struct {
	Name    string // as messages call it
	Setting string // of the data source
	// Processes are those of the lab behind the address.
	Processes []Process
}

// Process is one of the lab's, with what its loss does to an answer.
type Process struct {
	Name   string
	Effect Effect
}

// Single is one process of each server.
var Single = Topology{
	Name: "one process each", Flags: []string{"-servers", "prometheus,tempo"}, Settings: (*harness.Lab).Settings,
	Upstreams: []Upstream{
		{Name: Prometheus, Setting: "prometheus", Processes: []Process{{"prometheus", Fatal}}},
		{Name: Tempo, Setting: "traces", Processes: []Process{{"tempo", Fatal}}},
		{Name: Grafana, Setting: "grafana"},
	},
}

// Split is Mimir and Tempo in parts: of three ingesters of metrics each holds
// all samples, of two ingesters of traces each holds half.
var Split = Topology{
	Name: "Mimir and Tempo in parts", Flags: []string{"-servers", "prometheus,mimir-split,tempo-split"},
	Settings: func(l *harness.Lab) map[string]any {
		return map[string]any{
			"prometheus": map[string]any{"url": l.MimirSplit, "tenant": l.Tenant},
			"traces":     map[string]any{"url": l.TempoSplit, "tenant": l.Tenant},
		}
	},
	Upstreams: []Upstream{
		{Name: Prometheus, Setting: "prometheus", Processes: []Process{
			{"mimir-ingester-1", Sometimes}, {"mimir-store-gateway", Sometimes}, {"mimir-querier", Fatal},
			{"mimir-query-scheduler", Fatal}, {"mimir-query-frontend", Fatal}, {"mimir-distributor", Harmless},
		}},
		{Name: Tempo, Setting: "traces", Processes: []Process{
			{"tempo-ingester-1", Sometimes}, {"tempo-querier", Fatal}, {"tempo-query-frontend", Fatal},
			{"tempo-distributor", Harmless}, {"tempo-metrics-generator", Sometimes},
		}},
	},
}

// stage is what the table is played on.
type stage struct {
	topology Topology
	lab      *harness.Lab
	keepLab  bool
	plugin   *harness.Plugin
	notes    *harness.Annotations // of each data source, by its token
	grafana  *httptest.Server     // which serves them
	sources  atomic.Int64
	timeout  time.Duration // limits.timeout of a data source
	scene    scene
	whole    map[string]reply // by question, without a fault
}

// openStage starts a lab, unless the addresses of one that runs are given.
func openStage(ctx context.Context, topology Topology, running string, log io.Writer, flags ...string) (*stage, error) {
	lab := &harness.Lab{}
	var err error
	if running != "" {
		err = json.Unmarshal([]byte(running), lab)
	} else {
		lab, err = harness.StartLab(ctx, log, append(flags, topology.Flags...)...)
	}
	if err != nil {
		return nil, err
	}
	plugin, err := harness.StartPlugin(ctx, io.Discard)
	s := &stage{topology: topology, lab: lab, plugin: plugin, keepLab: running != "", whole: map[string]reply{}, notes: harness.NewAnnotations(), timeout: Timeout}
	s.grafana = httptest.NewServer(s.notes)
	if err != nil {
		s.close()
	}
	return s, err
}

func (s *stage) close() {
	s.grafana.CloseClientConnections()
	s.grafana.Close()
	if s.plugin != nil {
		s.plugin.Stop()
	}
	if !s.keepLab {
		s.lab.Stop()
	}
}

// settings are those of a data source over the servers of the stage.
func (s *stage) settings() map[string]any {
	settings := s.topology.Settings(s.lab)
	settings["grafana"] = map[string]any{"url": s.grafana.URL}
	settings["playbooks"] = map[string]any{"mode": "recommend"}
	return settings
}

// source is a new data source, which knows nothing yet, in an organisation of
// Grafana of its own. Its servers are asked through proxies, where there are some.
func (s *stage) source(through map[string]*Proxy) queried {
	settings := s.settings()
	token := fmt.Sprintf("glsa_%d", s.sources.Add(1))
	s.notes.Admit(token)
	if !s.scene.from.IsZero() {
		s.notes.Add(token, announced(s.scene))
	}
	// One of many data sources of one process: its cache holds an answer or two.
	limits := map[string]any{"timeout": s.timeout.String(), "maxTraces": 80, "cacheMiB": 8}
	if through == nil { // what is asked without a fault has all the time it needs
		limits["timeout"] = "1m"
	}
	settings["limits"] = limits
	for _, upstream := range s.topology.Upstreams {
		if proxy := through[upstream.Name]; proxy != nil {
			settings[upstream.Setting].(map[string]any)["url"] = proxy.URL()
		}
	}
	source := harness.DataSource{Plugin: s.plugin, Context: harness.PluginContext(settings, map[string]string{"grafanaToken": token})}
	return queried{source, s.scene, func() []harness.Annotation { return s.notes.Of(token) }}
}

// put asks a question, and measures.
func (q Question) put(ctx context.Context, on queried) reply {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
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

// prepare lets a canary with a slow statement serve beside its baseline, until its
// counts and its traces say so, and engines, which ask about the present, are told
// the same.
func (s *stage) prepare(ctx context.Context) error {
	begun := time.Now()
	if s.keepLab { // which has seen another canary before
		if err := s.lab.Deploy(ctx, "orders", fmt.Sprintf("1.%d", begun.Unix()), ""); err != nil {
			return err
		}
		time.Sleep(45 * time.Second) // until span metrics know
	}
	time.Sleep(20 * time.Second) // of the baseline alone
	if err := s.lab.Canary(ctx, "orders", fmt.Sprintf("2.%d", begun.Unix()), "slow-query", 0.5); err != nil {
		return err
	}
	deadline := time.Now().Add(10 * time.Minute)
	var since time.Time
	for {
		on := s.source(nil)
		on.from, on.to = begun.Add(15*time.Second), time.Now().Add(-5*time.Second)
		found := map[string]string{}
		for _, name := range []string{"traceDiff", "verdict", "canary verdict", "verdict for Argo"} {
			for key, value := range question(name).put(ctx, on).facts {
				found[name+key] = value
			}
		}
		seen := found["traceDiffsummary/0/verdict"] == "regressed" && found["verdictverdict/0/verdict"] == "fail" &&
			found["canary verdict/data/result/0/value/1"] == "-1" && found["verdict for Argo/phase"] == "Failed"
		switch {
		case !seen:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > 30*time.Second: // so that no sample is just enough
			s.scene = scene{on.from, time.Now().Add(-5 * time.Second)}
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
